//! The first line of a file: which column holds what, and what a few rows below it show of how they are written. What a
//! row means is left to `rows`.

use std::fmt;
use std::str::FromStr;

use csv::ByteRecord;

use super::columns::{Column, FileName, is_about_mail};
use super::consent::{Reading, Vote, compact};
use super::dates::{self, Order};
use super::mailbox;
use super::spreadsheet::original;
use crate::model::subscriber::tidy;
use crate::model::subscription::SubscriptionState;

/// The columns that are read, in the order in which an export has them.
pub(super) const COLUMNS: [&str; 6] = ["email", "name", "list", "state", "tags", "joined_at"];
pub(super) const EMAIL: usize = 0;
pub(super) const NAME: usize = 1;
pub(super) const LIST: usize = 2;
pub(super) const STATE: usize = 3;
pub(super) const TAGS: usize = 4;
pub(super) const JOINED_AT: usize = 5;

/// The states beside `active`, as people read them.
pub(super) const STATES: &str = "pending, unsubscribed, bounced, complained";
const NOTHING: &str = "Nothing was imported.";
const BEGIN: &str = "Begin the file with a line such as: email,name";
/// What to do with a column that nobody can read.
pub(super) const RENAME: &str = "Write active, pending, unsubscribed, bounced or complained in each of its rows and name \
    it state, or delete the column if it is not about mailing. Nothing was imported.";

/// Names of columns beside which one called `state` may be of an address.
const PLACES: [&str; 14] = [
    "city",
    "town",
    "zip",
    "zipcode",
    "postalcode",
    "postcode",
    "street",
    "address",
    "address1",
    "addressline1",
    "country",
    "countrycode",
    "county",
    "region",
];

/// What a column can be made to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The address.
    Email,
    /// The whole name.
    Name,
    /// The first name, where it has a column of its own.
    FirstName,
    /// The last name, where it has a column of its own.
    LastName,
    /// The key of a list.
    List,
    /// The state: active, pending, unsubscribed, bounced, complained, or another product's word for one.
    State,
    /// Tags, separated by commas or semicolons.
    Tags,
    /// When the person joined.
    JoinedAt,
}

impl Field {
    const ALL: [(Field, &str); 8] = [
        (Field::Email, "email"),
        (Field::Name, "name"),
        (Field::FirstName, "first_name"),
        (Field::LastName, "last_name"),
        (Field::List, "list"),
        (Field::State, "state"),
        (Field::Tags, "tags"),
        (Field::JoinedAt, "joined_at"),
    ];

    /// Which of [`COLUMNS`] it is.
    fn column(self) -> Option<usize> {
        COLUMNS
            .iter()
            .position(|column| *column == self.to_string())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Field::ALL.iter().find(|(field, _)| field == self);
        f.write_str(named.map_or("", |(_, name)| name))
    }
}

/// Says which column of a file holds a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What the column holds.
    pub field: Field,
    /// The column's name, or its number from 1.
    pub column: String,
}

/// Why a text is not a [`Mapping`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMapping {
    /// There is no `=` in it, or nothing behind.
    #[error("write it as FIELD=COLUMN, such as email=\"E-mail address\"")]
    Form,
    /// The field is not one of those that are read.
    #[error(
        "there is no field “{0}”; the fields are email, name, first_name, last_name, list, state, tags and joined_at"
    )]
    Field(String),
}

impl FromStr for Mapping {
    type Err = BadMapping;

    fn from_str(text: &str) -> Result<Self, BadMapping> {
        let (field, column) = text.split_once('=').ok_or(BadMapping::Form)?;
        let (field, column) = (field.trim(), column.trim());
        if column.is_empty() {
            return Err(BadMapping::Form);
        }
        let known = Field::ALL
            .iter()
            .find(|(_, name)| compact(name) == compact(field));
        let (field, _) = known.ok_or_else(|| BadMapping::Field(shortened(field)))?;
        Ok(Mapping {
            field: *field,
            column: column.to_owned(),
        })
    }
}

/// A column that says whether its people may be mailed.
#[derive(Debug)]
pub(super) struct ConsentColumn {
    pub at: usize,
    pub name: String,
    pub reading: Reading,
}

/// A column that nobody reads, but for words that say beyond doubt that somebody must not be mailed.
#[derive(Debug)]
pub(super) struct UnreadColumn {
    pub at: usize,
    pub name: String,
    pub is_about_mail: bool,
}

/// Where each column stands.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub places: [Option<usize>; COLUMNS.len()],
    pub first_name: Option<usize>,
    pub last_name: Option<usize>,
    pub consent: Vec<ConsentColumn>,
    pub unread: Vec<UnreadColumn>,
    pub width: usize,
    /// How everybody in the file is gone, by the file's name.
    pub everybody: Option<SubscriptionState>,
    /// What comes first in its dates, as far as a few rows show.
    pub date_order: Option<Order>,
    /// Whether `state` is of an address: words that are not known say nothing there.
    pub state_is_place: bool,
    /// The names of all columns, as the file writes them.
    names: Vec<String>,
    /// The columns that the author has placed.
    mapped: Vec<usize>,
}

impl Header {
    /// Reads the first line of a file of that name (without folder and ending). Case, spaces and punctuation of
    /// a column's name do not count; what is mapped goes before what names say.
    ///
    /// # Errors
    /// What is wrong, and what to do: no column of addresses, a column twice, or one that may be about consent
    /// and that nobody can read.
    pub(super) fn read(
        record: &ByteRecord,
        file_stem: &str,
        mappings: &[Mapping],
    ) -> Result<Header, String> {
        let mut header = Header {
            width: record.len(),
            names: names(record),
            ..Header::default()
        };
        let names = header.names.clone();
        let settled = header.map(mappings)?;
        let (mut emails, mut unclear) = (Vec::new(), None);
        let (own, others): (Vec<_>, Vec<_>) = (0..names.len())
            .filter(|at| !settled.contains(at))
            .partition(|at| own(&names[*at]).is_some());
        for at in own {
            header.place_own(at)?;
        }
        for at in others {
            match Column::of_name(&names[at]) {
                Column::Email => emails.push(at),
                Column::Unclear => unclear = unclear.or(Some(at)),
                column => header.place(at, column),
            }
        }
        // First of all, since a line with another separator is one odd name.
        header.find_address(&emails)?;
        if let Some(at) = unclear {
            return Err(format!(
                "the column “{}” may say who must not be mailed, and its name does not tell how. {RENAME}",
                shortened(&names[at])
            ));
        }
        header.judge_file_name(file_stem)?;
        Ok(header)
    }

    /// The header of a file that has none, of which this is the first row: one column of addresses, or several of which
    /// the author says by their numbers what they hold. `None`: the row is not of that kind.
    ///
    /// # Errors
    /// A column is mapped that is not there, or twice.
    pub(super) fn of_no_names(
        record: &ByteRecord,
        mappings: &[Mapping],
    ) -> Option<Result<Header, String>> {
        let at = match mappings
            .iter()
            .find(|mapping| mapping.field == Field::Email)
        {
            Some(mapping) => mapping.column.parse::<usize>().ok()?.checked_sub(1)?,
            None => (mappings.is_empty() && record.len() == 1).then_some(0)?,
        };
        let cell = std::str::from_utf8(record.get(at)?).ok()?;
        mailbox::read(original(cell)).ok()?;
        let mut header = Header {
            width: record.len(),
            names: vec![String::new(); record.len()],
            ..Header::default()
        };
        if let Err(why) = header.map(mappings) {
            return Some(Err(why));
        }
        header.places[EMAIL] = Some(at);
        for at in (0..record.len()).filter(|other| *other != at) {
            if !header.mapped.contains(&at) {
                header.leave_unread(at);
            }
        }
        Some(Ok(header))
    }

    /// Whether one of these names is of a column of addresses.
    pub(super) fn names_address(record: &ByteRecord) -> bool {
        names(record)
            .iter()
            .any(|name| own(name) == Some(EMAIL) || Column::of_name(name) == Column::Email)
    }

    /// Places the columns that the author has mapped, and gives those whose names need not be looked at any more. A
    /// column that speaks of consent is read as such besides, unless it holds the address, a name, a list or the state.
    fn map(&mut self, mappings: &[Mapping]) -> Result<Vec<usize>, String> {
        let mut settled = Vec::new();
        for mapping in mappings {
            let at = self.find(mapping)?;
            let place = match (mapping.field, mapping.field.column()) {
                (_, Some(column)) => &mut self.places[column],
                (Field::FirstName, None) => &mut self.first_name,
                (_, None) => &mut self.last_name,
            };
            if place.replace(at).is_some() {
                return Err(format!(
                    "--map names two columns for {}. Give one. {NOTHING}",
                    mapping.field
                ));
            }
            self.mapped.push(at);
            let says_consent = matches!(
                Column::of_name(&self.names[at]),
                Column::Consent(_) | Column::Unclear
            );
            if !says_consent || !matches!(mapping.field, Field::Tags | Field::JoinedAt) {
                settled.push(at);
            }
        }
        Ok(settled)
    }

    /// The column that a mapping names, by its name or by its number.
    fn find(&self, mapping: &Mapping) -> Result<usize, String> {
        let wanted = mapping.column.as_str();
        let having = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..self.width).filter(|at| is(&self.names[*at])).collect()
        };
        let mut found = having(&|name| name == wanted);
        if found.is_empty() {
            found = having(&|name| !compact(name).is_empty() && compact(name) == compact(wanted));
        }
        let field = mapping.field;
        match (found.as_slice(), wanted.parse::<usize>()) {
            ([only], _) => Ok(*only),
            ([], Ok(number)) if (1..=self.width).contains(&number) => Ok(number - 1),
            ([], _) => Err(format!(
                "there is no column “{}” for {field}; the columns are: {}. Correct --map. {NOTHING}",
                shortened(wanted),
                self.all_names()
            )),
            ([first, ..], _) => Err(format!(
                "{} columns are called “{}”. Give the number of the right one, such as --map {field}={}. {NOTHING}",
                found.len(),
                shortened(wanted),
                first + 1
            )),
        }
    }

    /// The names of all columns on one line.
    fn all_names(&self) -> String {
        let names: Vec<String> = (0..self.width)
            .map(|at| shortened(&self.name_of(at)))
            .collect();
        shortened_to(&names.join(", "), 300)
    }

    /// The name of a column as people read it, also of one that has none.
    fn name_of(&self, at: usize) -> String {
        match self.names.get(at) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("column {}", at + 1),
        }
    }

    /// Notes where one of [`COLUMNS`] stands, unless it was mapped. Of two that decide who is mailed, nobody can tell
    /// which is right; of two others the first is read.
    fn place_own(&mut self, at: usize) -> Result<(), String> {
        let Some(column) = own(&self.names[at]) else {
            return Ok(());
        };
        match self.places[column] {
            None => self.places[column] = Some(at),
            Some(other)
                if self.mapped.contains(&other) || ![EMAIL, LIST, STATE].contains(&column) =>
            {
                self.leave_unread(at);
            }
            Some(other) => {
                return Err(format!(
                    "columns {0} and {1} are both called {2}. Say which is right with --map {2}={0} or --map {2}={1}, or \
                     delete one of them. {NOTHING}",
                    other + 1,
                    at + 1,
                    COLUMNS[column]
                ));
            }
        }
        Ok(())
    }

    /// Notes what another column holds.
    fn place(&mut self, at: usize, column: Column) {
        let place = match column {
            Column::FirstName => &mut self.first_name,
            Column::LastName => &mut self.last_name,
            // A column `name` has taken this place already.
            Column::FullName => &mut self.places[NAME],
            Column::Joined => &mut self.places[JOINED_AT],
            Column::Consent(reading) => {
                let name = self.names[at].clone();
                self.consent.push(ConsentColumn { at, name, reading });
                return;
            }
            _ => return self.leave_unread(at),
        };
        match place {
            None => *place = Some(at),
            Some(_) => self.leave_unread(at),
        }
    }

    fn leave_unread(&mut self, at: usize) {
        let name = self.name_of(at);
        let is_about_mail = is_about_mail(&name);
        self.unread.push(UnreadColumn {
            at,
            name,
            is_about_mail,
        });
    }

    /// The column of addresses: `email`, else the one that has such a name.
    fn find_address(&mut self, emails: &[usize]) -> Result<(), String> {
        if self.places[EMAIL].is_some() {
            emails.iter().for_each(|at| self.leave_unread(*at));
            return Ok(());
        }
        // MailerLite calls it so; elsewhere such a column says yes or no.
        let subscriber = self
            .consent
            .iter()
            .position(|column| compact(&column.name) == "subscriber");
        match (emails, subscriber) {
            ([only], _) => self.places[EMAIL] = Some(*only),
            ([], Some(subscriber)) => self.places[EMAIL] = Some(self.consent.remove(subscriber).at),
            ([], None) if self.names.iter().all(String::is_empty) => {
                return Err(format!("the file is empty. {BEGIN}"));
            }
            ([], None) => {
                return Err(format!(
                    "the first line must name the columns, and email among them; it reads: {}. {BEGIN}. Or say which column \
                     holds the addresses, by its name or number: --map email=COLUMN",
                    self.all_names()
                ));
            }
            ([one, other, ..], _) => {
                return Err(format!(
                    "“{}” and “{}” may both be the address. Say which is right with --map email={} or --map email={}. \
                     {NOTHING}",
                    shortened(&self.names[*one]),
                    shortened(&self.names[*other]),
                    one + 1,
                    other + 1
                ));
            }
        }
        Ok(())
    }

    /// Products export people in files by their state, and the name alone says which. A column of states
    /// says it better.
    fn judge_file_name(&mut self, stem: &str) -> Result<(), String> {
        let has = |wanted: &str| {
            self.names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        if self.places[STATE].is_some() {
            return Ok(());
        }
        match FileName::of(stem, has("LEID") && has("EUID")) {
            FileName::Everybody(state) => self.everybody = Some(state),
            FileName::Suspect if self.consent.is_empty() => {
                return Err(format!(
                    "by its name the file may hold people who must not be mailed, and no column says so. Add a \
                     column state, with {STATES} in its rows, or rename the file if its name is wrong. {NOTHING}"
                ));
            }
            FileName::Suspect | FileName::Nothing => {}
        }
        Ok(())
    }

    /// Learns from the first rows how dates are written, and whether `state` is of an address.
    pub(super) fn learn(&mut self, rows: &[ByteRecord]) {
        let values = |at: Option<usize>| {
            rows.iter()
                .filter_map(move |row| std::str::from_utf8(row.get(at?)?).ok())
                .map(str::trim)
                .filter(|value| !value.is_empty())
        };
        let mut orders = values(self.places[JOINED_AT]).filter_map(dates::order_of);
        let first = orders.next();
        self.date_order = first.filter(|first| orders.all(|order| order == *first));

        let has_place = self
            .names
            .iter()
            .any(|name| PLACES.contains(&compact(name).as_str()));
        let mut words = values(self.places[STATE]).peekable();
        self.state_is_place = has_place
            && words.peek().is_some()
            && words.all(|word| Reading::Status.vote(word) == Vote::Unknown);
    }

    /// What was understood: each field with the names of the columns that hold it, where they are not the field's own.
    pub(super) fn understood(&self) -> Vec<(Field, String)> {
        let place = |field: Field| match field {
            Field::FirstName => self.first_name,
            Field::LastName => self.last_name,
            _ => field.column().and_then(|column| self.places[column]),
        };
        Field::ALL
            .iter()
            .filter_map(|(field, _)| Some((*field, self.name_of(place(*field)?))))
            .collect()
    }

    /// The names of the columns that are read to learn who must not be mailed, but for our own.
    pub(super) fn consent_columns(&self) -> Vec<String> {
        self.consent
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// Columns that nobody reads, as the file writes them.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.unread
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// Whether the file has a column for the list of each row.
    pub(super) fn names_lists(&self) -> bool {
        self.places[LIST].is_some()
    }
}

fn names(record: &ByteRecord) -> Vec<String> {
    record
        .iter()
        .map(|field| String::from_utf8_lossy(field).trim().to_owned())
        .collect()
}

/// Which of [`COLUMNS`] has this name.
fn own(name: &str) -> Option<usize> {
    let word = compact(name);
    COLUMNS.iter().position(|column| word == compact(column))
}

/// Foreign text as it stands in a message: one line, not too long.
pub(super) fn shortened(text: &str) -> String {
    shortened_to(text, 40)
}

fn shortened_to(text: &str, chars: usize) -> String {
    let text = tidy(text);
    match text.char_indices().nth(chars) {
        Some((i, _)) => format!("{}…", &text[..i]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &[&str]) -> ByteRecord {
        ByteRecord::from(fields.to_vec())
    }

    fn read(fields: &[&str], mappings: &[&str]) -> Result<Header, String> {
        let mappings: Vec<Mapping> = mappings.iter().map(|m| m.parse().unwrap()).collect();
        Header::read(&record(fields), "people", &mappings)
    }

    #[test]
    fn a_first_line_without_email_is_told() {
        let said = read(&["ann@readers.example", "Ann"], &[]).unwrap_err();
        assert!(
            said.contains("it reads: ann@readers.example, Ann") && said.contains("--map email="),
            "{said}"
        );
        let said = read(&["email", "name", "Email"], &[]).unwrap_err();
        assert!(said.contains("--map email=1 or --map email=3"), "{said}");
        assert!(
            read(&["email", "state", "State"], &[])
                .unwrap_err()
                .contains("--map state=2")
        );
        let header = read(&["email", "name", "name"], &[]).unwrap();
        assert_eq!(
            (header.places[NAME], header.ignored()),
            (Some(1), vec!["name".to_owned()])
        );
        let said = read(&["Mail", "E-Mail Address"], &[]).unwrap_err();
        assert!(
            said.contains("“Mail” and “E-Mail Address” may both be the address"),
            "{said}"
        );
    }

    #[test]
    fn a_mapping_goes_before_names() {
        let header = read(
            &["Contact", "email", "Note", "Joined", "created_at"],
            &["email=Contact", "joined_at=Created-At", "tags=3"],
        )
        .unwrap();
        assert_eq!(header.places, [Some(0), None, None, None, Some(2), Some(4)]);
        assert_eq!(header.ignored(), ["email", "Joined"]);
        let header = read(&["Email", "Name", "Email"], &["email=3"]).unwrap();
        assert_eq!(header.places[EMAIL], Some(2));
        let header = read(&["Subscriber", "Group"], &["email=Subscriber"]).unwrap();
        assert_eq!((header.places[EMAIL], header.consent.len()), (Some(0), 0));
    }

    #[test]
    fn a_mapping_hides_no_column_of_consent() {
        let header = read(&["email", "Status"], &["tags=Status"]).unwrap();
        assert_eq!(header.consent_columns(), ["Status"]);
        assert!(read(&["email", "Consent level"], &["tags=Consent level"]).is_err());
        let header = read(&["email", "Consent level"], &["state=Consent level"]).unwrap();
        assert_eq!(header.places[STATE], Some(1));
    }

    #[test]
    fn a_mapping_that_fits_no_column_is_told() {
        for (fields, mapping, why) in [
            (
                &["email", "a"][..],
                "name=b",
                "no column “b” for name; the columns are: email, a",
            ),
            (&["email", "a"], "name=3", "no column “3”"),
            (
                &["a", "a"],
                "email=a",
                "2 columns are called “a”. Give the number of the right one, such as --map email=1",
            ),
        ] {
            let said = read(fields, &[mapping]).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let said = read(&["a", "b"], &["email=a", "email=b"]).unwrap_err();
        assert!(said.contains("two columns for email"), "{said}");
        assert_eq!("email".parse::<Mapping>(), Err(BadMapping::Form));
        assert_eq!("email=".parse::<Mapping>(), Err(BadMapping::Form));
        let unknown = "phone=Phone".parse::<Mapping>().unwrap_err().to_string();
        assert!(unknown.contains("the fields are email, name"), "{unknown}");
        let first = "First name=Vorname".parse::<Mapping>().unwrap();
        assert_eq!(first.field, Field::FirstName);
    }

    #[test]
    fn a_file_of_addresses_needs_no_header_where_it_is_clear_what_it_holds() {
        let of = |fields: &[&str], mappings: &[&str]| {
            let mappings: Vec<Mapping> = mappings.iter().map(|m| m.parse().unwrap()).collect();
            Header::of_no_names(&record(fields), &mappings)
        };
        let header = of(&["Ann <ann@readers.example>"], &[]).unwrap().unwrap();
        assert_eq!(header.places[EMAIL], Some(0));
        let header = of(&["Ann", "ann@readers.example", "x"], &["email=2", "name=1"]);
        let header = header.unwrap().unwrap();
        assert_eq!(
            (header.places[EMAIL], header.places[NAME]),
            (Some(1), Some(0))
        );
        assert_eq!(header.ignored(), ["column 3"]);
        for (fields, mappings) in [
            (&["Contacts"][..], &[][..]),
            (&[""], &[]),
            (&["ann@readers.example", "Ann"], &[]),
            (&["E-mail", "Name"], &["email=1"]),
            (&["ann@readers.example", "Ann"], &["email=3"]),
            (&["ann@readers.example"], &["name=1"]),
        ] {
            assert!(of(fields, mappings).is_none(), "{fields:?}");
        }
    }

    #[test]
    fn the_first_rows_show_how_dates_are_written_and_what_state_means() {
        let mut header = read(&["email", "joined_at", "state", "City"], &[]).unwrap();
        let row = |date, state| record(&["a@b.example", date, state, "Austin"]);
        header.learn(&[
            row("05/06/2024", "TX"),
            row("25/06/2024", "CA"),
            row("", ""),
        ]);
        assert_eq!(header.date_order, Some(Order::DayFirst));
        assert!(header.state_is_place);
        header.learn(&[row("25/06/2024", "TX"), row("06/25/2024", "unsubscribed")]);
        assert_eq!(header.date_order, None);
        assert!(!header.state_is_place);
        header.learn(&[]);
        assert!(!header.state_is_place);
    }
}
