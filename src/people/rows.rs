//! Columns and values of a file: the first line names the columns, each further row becomes an [`Entry`] or
//! gives the reason why it is none.

use csv::ByteRecord;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::columns::{Column, FileName, is_about_mail};
use super::consent::{Reading, Vote, compact, says_gone, says_no};
use super::spreadsheet::original;
use crate::model::Address;
use crate::model::subscriber::{NAME_MAX_CHARS, tidy};
use crate::model::subscription::SubscriptionState;

/// The longest column of tags that is taken, in characters.
const TAGS_MAX_CHARS: usize = 1000;

/// The columns that are read, in the order in which an export has them.
pub(super) const COLUMNS: [&str; 6] = ["email", "name", "list", "state", "tags", "joined_at"];

/// The states beside `active`, as people read them.
const STATES: &str = "pending, unsubscribed, bounced, complained";
const NOTHING: &str = "Nothing was imported.";
const BEGIN: &str = "Begin the file with a line such as: email,name";
/// What to do with a column that nobody can read.
const RENAME: &str = "Write active, pending, unsubscribed, bounced or complained in each of its rows and name it \
    state, or delete the column if it is not about mailing. Nothing was imported.";

/// One row, checked and normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub email: Address,
    /// On one line; empty where the row has none.
    pub name: String,
    /// Sorted, once each, separated by commas; empty where the row has none.
    pub tags: String,
    pub joined_at: Option<Timestamp>,
    /// The place of the list among those that the file may name.
    pub list: u16,
    pub state: SubscriptionState,
    /// On which the row begins, from 1.
    pub line: u64,
}

/// Which lists a file may name, and for which list a row is that names none.
pub(super) struct Lists<'a> {
    pub keys: &'a [String],
    /// An index of `keys`; `None`: every row must name its list.
    pub default: Option<u16>,
    /// Whether rows for others than the default are refused: the author asked for this one list.
    pub only_default: bool,
}

/// Why a row is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// What is wrong with it, on one line; the rest of the file comes in.
    Row(String),
    /// It may say that somebody must not be mailed, and nobody can read it: the file is refused.
    File(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Refusal::Row(reason)
    }
}

/// A column that says whether its people may be mailed.
#[derive(Debug)]
struct ConsentColumn {
    at: usize,
    name: String,
    reading: Reading,
}

/// A column that nobody reads, but for words that say beyond doubt that somebody must not be mailed.
#[derive(Debug)]
struct UnreadColumn {
    at: usize,
    name: String,
    is_about_mail: bool,
}

impl UnreadColumn {
    fn new(at: usize, name: &str) -> Self {
        Self {
            at,
            name: name.to_owned(),
            is_about_mail: is_about_mail(name),
        }
    }
}

/// Where each column stands.
#[derive(Debug, Default)]
pub(super) struct Header {
    places: [Option<usize>; COLUMNS.len()],
    first_name: Option<usize>,
    last_name: Option<usize>,
    consent: Vec<ConsentColumn>,
    unread: Vec<UnreadColumn>,
    width: usize,
    /// How everybody in the file is gone, by the file's name.
    everybody: Option<SubscriptionState>,
}

impl Header {
    /// Reads the first line of a file of that name (without folder and ending). Case, spaces and punctuation of
    /// a column's name do not count.
    ///
    /// # Errors
    /// What is wrong, and what to do: no column of addresses, a column twice, or one that may be about consent
    /// and that nobody can read.
    pub(super) fn read(record: &ByteRecord, file_stem: &str) -> Result<Header, String> {
        let mut header = Header {
            width: record.len(),
            ..Header::default()
        };
        let names: Vec<String> = record
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim().to_owned())
            .collect();
        let (mut emails, mut unclear) = (Vec::new(), None);
        let (own, others): (Vec<_>, Vec<_>) =
            (0..names.len()).partition(|at| own(&names[*at]).is_some());
        for at in own {
            header.place_own(at, &names[at])?;
        }
        for at in others {
            match Column::of_name(&names[at]) {
                Column::Email => emails.push(at),
                Column::Unclear => unclear = unclear.or(Some(at)),
                column => header.place(at, &names[at], column),
            }
        }
        // First of all, since a line with another separator is one odd name.
        header.find_address(&names, &emails)?;
        if let Some(at) = unclear {
            return Err(format!(
                "the column “{}” may say who must not be mailed, and its name does not tell how. {RENAME}",
                shortened(&names[at])
            ));
        }
        header.judge_file_name(file_stem, &names)?;
        Ok(header)
    }

    /// Notes where one of [`COLUMNS`] stands.
    fn place_own(&mut self, at: usize, name: &str) -> Result<(), String> {
        let Some(column) = own(name) else {
            return Ok(());
        };
        match self.places[column].replace(at) {
            None => Ok(()),
            Some(_) => Err(format!(
                "the first line names the column {} twice. Delete or rename one of them.",
                COLUMNS[column]
            )),
        }
    }

    /// Notes what another column holds.
    fn place(&mut self, at: usize, name: &str, column: Column) {
        match column {
            Column::FirstName if self.first_name.is_none() => self.first_name = Some(at),
            Column::LastName if self.last_name.is_none() => self.last_name = Some(at),
            // A column `name` has taken this place already.
            Column::FullName if self.places[1].is_none() => self.places[1] = Some(at),
            Column::Consent(reading) => self.consent.push(ConsentColumn {
                at,
                name: name.to_owned(),
                reading,
            }),
            _ => self.unread.push(UnreadColumn::new(at, name)),
        }
    }

    /// The column of addresses: `email`, else the one that has such a name.
    fn find_address(&mut self, names: &[String], emails: &[usize]) -> Result<(), String> {
        if self.places[0].is_some() {
            self.unread
                .extend(emails.iter().map(|at| UnreadColumn::new(*at, &names[*at])));
            return Ok(());
        }
        // MailerLite calls it so; elsewhere such a column says yes or no.
        let subscriber = self
            .consent
            .iter()
            .position(|column| compact(&column.name) == "subscriber");
        match (emails, subscriber) {
            ([only], _) => self.places[0] = Some(*only),
            ([], Some(subscriber)) => self.places[0] = Some(self.consent.remove(subscriber).at),
            ([], None) if names.iter().all(String::is_empty) => {
                return Err(format!("the file is empty. {BEGIN}"));
            }
            ([], None) => {
                let seen: Vec<String> = names.iter().map(|name| shortened(name)).collect();
                return Err(format!(
                    "the first line must name the columns, and email among them; it reads: {}. {BEGIN}",
                    shortened_to(&seen.join(", "), 300)
                ));
            }
            ([one, other, ..], _) => {
                return Err(format!(
                    "“{}” and “{}” may both be the address. Name the right one email.",
                    shortened(&names[*one]),
                    shortened(&names[*other])
                ));
            }
        }
        Ok(())
    }

    /// Products export people in files by their state, and the name alone says which. A column of states
    /// says it better.
    fn judge_file_name(&mut self, stem: &str, names: &[String]) -> Result<(), String> {
        let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        if self.places[3].is_some() {
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

    /// The names of the columns that are read to learn who must not be mailed, but for our own.
    pub(super) fn consent_columns(&self) -> Vec<String> {
        self.consent
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// How everybody in the file is gone, by the file's name.
    pub(super) fn everybody(&self) -> Option<SubscriptionState> {
        self.everybody
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
        self.places[2].is_some()
    }

    /// The value of one of [`COLUMNS`]; empty where the file or the row lacks it.
    fn get<'r>(&self, row: &'r ByteRecord, column: usize) -> Result<&'r str, String> {
        let field = self.places[column]
            .and_then(|i| row.get(i))
            .unwrap_or_default();
        utf8(field, COLUMNS[column]).map(original)
    }

    /// Checks a row.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn entry(
        &self,
        row: &ByteRecord,
        line: u64,
        lists: &Lists<'_>,
    ) -> Result<Entry, Refusal> {
        if row.len() > self.width {
            return Err(Refusal::Row(format!(
                "the row has {} values for {} columns; a value that holds a comma needs quotation marks",
                row.len(),
                self.width
            )));
        }
        let state = self.state(row)?;
        let email = Address::parse(self.get(row, 0)?).map_err(|e| e.to_string())?;
        let name = self.name(row)?;
        if name.chars().count() > NAME_MAX_CHARS {
            return Err(Refusal::Row(format!(
                "the name is longer than {NAME_MAX_CHARS} characters"
            )));
        }
        Ok(Entry {
            email,
            name,
            list: lists.of(self.get(row, 2)?)?,
            state,
            tags: tags(self.get(row, 4)?)?,
            joined_at: time(self.get(row, 5)?)?,
            line,
        })
    }

    /// The name, or the first and the last name.
    fn name(&self, row: &ByteRecord) -> Result<String, String> {
        let whole = tidy(self.get(row, 1)?);
        if !whole.is_empty() || (self.first_name.is_none() && self.last_name.is_none()) {
            return Ok(whole);
        }
        let part = |at: Option<usize>| match at.and_then(|at| row.get(at)) {
            Some(field) => utf8(field, "name").map(original),
            None => Ok(""),
        };
        Ok(tidy(&format!(
            "{} {}",
            part(self.first_name)?,
            part(self.last_name)?
        )))
    }

    /// Refuses the file where a column that nobody reads, or a tag, says that somebody must not be mailed.
    fn look_at_unread(&self, row: &ByteRecord) -> Result<(), Refusal> {
        for column in &self.unread {
            if let Ok(word) = std::str::from_utf8(row.get(column.at).unwrap_or_default())
                && (says_gone(word) || (column.is_about_mail && says_no(word)))
            {
                return Err(unknown_word(&column.name, word));
            }
        }
        // Beside a column of states a tag is no more than a tag.
        if self.places[3].is_none() && self.consent.is_empty() {
            let tags = self.get(row, 4)?;
            if let Some(tag) = tags.split([',', ';']).find(|tag| says_gone(tag)) {
                return Err(unknown_word(COLUMNS[4], tag));
            }
        }
        Ok(())
    }

    /// What all columns together say about mailing this person: leaving wins over anything, then what keeps
    /// somebody from being mailed, then an open confirmation.
    fn state(&self, row: &ByteRecord) -> Result<SubscriptionState, Refusal> {
        let own = own_state(self.get(row, 3)?)?;
        let mut gone = self.everybody.or(Some(own).filter(|state| state.is_gone()));
        let mut state = own;
        let mut kept_away = None;
        for column in &self.consent {
            let word = utf8(row.get(column.at).unwrap_or_default(), &column.name)?;
            match column.reading.vote(word) {
                Vote::Unknown => return Err(unknown_word(&column.name, word)),
                Vote::State(said) if said.is_gone() => gone = gone.or(Some(said)),
                Vote::State(SubscriptionState::Pending) => state = SubscriptionState::Pending,
                Vote::State(_) | Vote::Nothing => {}
                Vote::NotMailed | Vote::Missing => {
                    kept_away.get_or_insert_with(|| not_mailed(&column.name, word));
                }
            }
        }
        self.look_at_unread(row)?;
        match (gone, kept_away) {
            (Some(gone), _) => Ok(gone),
            (None, Some(why)) => Err(Refusal::Row(why)),
            (None, None) => Ok(state),
        }
    }
}

/// Which of [`COLUMNS`] has this name.
fn own(name: &str) -> Option<usize> {
    let word = compact(name);
    COLUMNS.iter().position(|column| word == compact(column))
}

fn unknown_word(column: &str, word: &str) -> Refusal {
    Refusal::File(format!(
        "the column “{}” says “{}”, which may mean that this person must not be mailed, and is not known. {RENAME}",
        shortened(column),
        shortened(word)
    ))
}

fn not_mailed(column: &str, word: &str) -> String {
    let column = shortened(column);
    if word.trim().is_empty() {
        format!("“{column}” is empty, so nothing says that this person may be mailed")
    } else {
        format!(
            "“{column}” says “{}”: this person is not to be mailed",
            shortened(word)
        )
    }
}

impl Lists<'_> {
    fn of(&self, key: &str) -> Result<u16, String> {
        if key.is_empty() {
            return self
                .default
                .ok_or_else(|| "the row names no list, and there are several".to_owned());
        }
        let named = self
            .keys
            .iter()
            .position(|k| k == key)
            .and_then(|i| u16::try_from(i).ok());
        let Some(list) = named else {
            return Err(format!(
                "there is no list {}; the settings name: {}",
                shortened(key),
                self.keys.join(", ")
            ));
        };
        if self.only_default && self.default != Some(list) {
            return Err(format!(
                "the row is for the list {key}; import the file without --list to take it too"
            ));
        }
        Ok(list)
    }
}

/// Our own column `state`: the words of an export, or those of other products.
fn own_state(word: &str) -> Result<SubscriptionState, String> {
    if word.is_empty() {
        return Ok(SubscriptionState::Active);
    }
    match Reading::Status.vote(word) {
        Vote::State(state) => Ok(state),
        Vote::NotMailed => Err(not_mailed("state", word)),
        Vote::Nothing | Vote::Missing | Vote::Unknown => Err(format!(
            "“{}” is no state; known are: active, {STATES}",
            shortened(word)
        )),
    }
}

/// Tags as the database holds them. Commas and semicolons separate.
fn tags(text: &str) -> Result<String, String> {
    let mut tags: Vec<String> = text
        .split([',', ';'])
        .map(tidy)
        .filter(|tag| !tag.is_empty())
        .collect();
    tags.sort_unstable();
    tags.dedup();
    let tags = tags.join(",");
    if tags.chars().count() > TAGS_MAX_CHARS {
        return Err(format!(
            "the tags are longer than {TAGS_MAX_CHARS} characters"
        ));
    }
    Ok(tags)
}

/// A time with zone, or a date with or without a time, which is then taken as UTC.
fn time(text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let time = text
        .parse::<Timestamp>()
        .or_else(|_| text.parse::<DateTime>().and_then(utc))
        .or_else(|_| {
            text.parse::<Date>()
                .and_then(|date| utc(date.at(0, 0, 0, 0)))
        });
    match time {
        Ok(time) => Ok(Some(time)),
        Err(_) => Err(format!(
            "joined_at “{}” is no time such as 2026-11-30T07:00:00Z",
            shortened(text)
        )),
    }
}

/// A value without spaces around it.
fn utf8<'r>(field: &'r [u8], column: &str) -> Result<&'r str, String> {
    std::str::from_utf8(field).map(str::trim).map_err(|_| {
        format!(
            "the {} is not in UTF-8; save the file as “CSV UTF-8” and import that",
            shortened(column)
        )
    })
}

/// Foreign text as it stands in a message: one line, not too long.
fn shortened(text: &str) -> String {
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

    const KEYS: [&str; 2] = ["weekly", "daily"];

    fn record(fields: &[&str]) -> ByteRecord {
        ByteRecord::from(fields.to_vec())
    }

    fn entry(header: &[&str], row: &[&str]) -> Result<Entry, Refusal> {
        let keys = KEYS.map(str::to_owned);
        let lists = Lists {
            keys: &keys,
            default: Some(0),
            only_default: false,
        };
        Header::read(&record(header), "people")
            .unwrap()
            .entry(&record(row), 7, &lists)
    }

    #[test]
    fn columns_may_stand_anywhere_and_others_are_left_out() {
        let header = [
            "Phone",
            " NAME ",
            "Email",
            "tags",
            "list",
            "State",
            "joined_at",
        ];
        let row = [
            "1",
            "Ann\nLee",
            "Ann@READERS.example",
            "z, a;z",
            "daily",
            "Pending",
            "2026-11-30 07:00",
        ];
        let read = entry(&header, &row).unwrap();
        assert_eq!(
            (read.email.as_str(), read.name.as_str()),
            ("Ann@readers.example", "Ann Lee")
        );
        assert_eq!((read.tags.as_str(), read.list, read.line), ("a,z", 1, 7));
        assert_eq!(read.state, SubscriptionState::Pending);
        assert_eq!(
            read.joined_at,
            Some("2026-11-30T07:00:00Z".parse().unwrap())
        );
        assert_eq!(
            Header::read(&record(&header), "people").unwrap().ignored(),
            ["Phone"]
        );
    }

    #[test]
    fn a_row_may_be_short_and_is_active_on_the_list_that_was_named() {
        let read = entry(&["email", "name", "state"], &["a@readers.example"]).unwrap();
        assert_eq!(
            (read.name.as_str(), read.state, read.list),
            ("", SubscriptionState::Active, 0)
        );
        assert_eq!(read.joined_at, None);
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said_on_one_line() {
        let all = COLUMNS;
        let long = "x".repeat(501);
        for (row, why) in [
            (vec!["no-at-sign"], "no @"),
            (vec!["", "Empty"], "there is no address"),
            (vec!["a@b.example", &long], "longer than 500"),
            (
                vec!["a@b.example", "", "monthly"],
                "there is no list monthly; the settings name: weekly, daily",
            ),
            (
                vec!["a@b.example", "", "", "sleeping"],
                "“sleeping” is no state; known are: active, pending,",
            ),
            (
                vec!["a@b.example", "", "", "", "", "yesterday"],
                "joined_at “yesterday” is no time such as",
            ),
            (
                vec!["a@b.example", "Lee", "", "", "", "", "Ann"],
                "7 values for 6 columns",
            ),
        ] {
            let Err(Refusal::Row(said)) = entry(&all, &row) else {
                panic!("{row:?} is taken");
            };
            assert!(said.contains(why) && !said.contains('\n'), "{said}");
        }
        let header = Header::read(&record(&["email", "name"]), "people").unwrap();
        let lists = Lists {
            keys: &["weekly".into()],
            default: Some(0),
            only_default: false,
        };
        let said = header.entry(
            &ByteRecord::from(vec![&b"a@b.example"[..], b"J\xfcrgen"]),
            2,
            &lists,
        );
        let Err(Refusal::Row(said)) = said else {
            panic!("it is taken");
        };
        assert!(said.contains("the name is not in UTF-8"));
    }

    #[test]
    fn one_list_can_be_asked_for() {
        let keys = KEYS.map(str::to_owned);
        let of = |default, only_default, key| {
            Lists {
                keys: &keys,
                default,
                only_default,
            }
            .of(key)
        };
        assert_eq!(of(None, false, "daily"), Ok(1));
        assert!(of(None, false, "").unwrap_err().contains("names no list"));
        assert_eq!(of(Some(0), true, ""), Ok(0));
        assert_eq!(of(Some(0), true, "weekly"), Ok(0));
        assert!(
            of(Some(0), true, "daily")
                .unwrap_err()
                .contains("for the list daily")
        );
    }

    #[test]
    fn a_first_line_without_email_is_told() {
        let said = Header::read(&record(&["ann@readers.example", "Ann"]), "people").unwrap_err();
        assert!(
            said.contains("it reads: ann@readers.example, Ann"),
            "{said}"
        );
        assert!(
            Header::read(&record(&["email", "name", "Email"]), "people")
                .unwrap_err()
                .contains("email twice")
        );
    }
}
