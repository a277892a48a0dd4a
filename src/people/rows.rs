//! Values of a file: each row below the first line becomes an [`Entry`] or gives the reason why it is none.
//!
//! What decides whether somebody is mailed is read for certain or refused. Any other value that can't be read costs
//! nobody their subscription: the row is taken without it, with a [`Note`].

use csv::ByteRecord;
use jiff::Timestamp;

use super::consent::{Reading, Vote, says_gone, says_no};
use super::dates::{self, Unread};
use super::header::{
    COLUMNS, EMAIL, Header, JOINED_AT, LIST, NAME, RENAME, STATE, STATES, TAGS, shortened,
};
use super::mailbox;
use super::spreadsheet::original;
use crate::model::Address;
use crate::model::subscriber::{NAME_MAX_CHARS, tidy};
use crate::model::subscription::SubscriptionState;

/// The longest column of tags that is taken, in characters.
const TAGS_MAX_CHARS: usize = 1000;

/// A value of a row that was taken without it, or that looks odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The date in this column is in no known form.
    Date {
        /// What stands there; shortened.
        value: String,
    },
    /// The date in this column may be read in two ways: day or month first.
    AmbiguousDate {
        /// What stands there.
        value: String,
    },
    /// The name is not text in the file's encoding.
    NameEncoding,
    /// The name is longer than [`NAME_MAX_CHARS`].
    LongName,
    /// The tags are not text in the file's encoding.
    TagsEncoding,
    /// The tags are longer than what is kept.
    LongTags,
    /// A column `state` holds a part of an address.
    Place {
        /// What stands there; shortened.
        value: String,
    },
    /// The name was taken. It holds a line break and an `@`: it may be a row that a quotation mark has swallowed.
    RowInName,
}

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

impl Header {
    /// The value of one of [`COLUMNS`]; empty where the file or the row lacks it.
    fn get<'r>(&self, row: &'r ByteRecord, column: usize) -> Result<&'r str, String> {
        let field = self.places[column]
            .and_then(|i| row.get(i))
            .unwrap_or_default();
        utf8(field, COLUMNS[column]).map(original)
    }

    /// Checks a row, and notes what it is taken without.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn entry(
        &self,
        row: &ByteRecord,
        line: u64,
        lists: &Lists<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<Entry, Refusal> {
        // Spreadsheets write empty values at the end.
        if row
            .iter()
            .skip(self.width)
            .any(|value| !value.trim_ascii().is_empty())
        {
            return Err(Refusal::Row(format!(
                "the row has {} values for {} columns; a value that holds a comma needs quotation marks",
                row.len(),
                self.width
            )));
        }
        let state = self.state(row, notes)?;
        let (email, name_beside) =
            mailbox::read(self.get(row, EMAIL)?).map_err(|e| e.to_string())?;
        let name = self.name(row, notes);
        Ok(Entry {
            email,
            name: if name.is_empty() { name_beside } else { name },
            list: lists.of(self.get(row, LIST)?)?,
            state,
            tags: self.tags(row, notes),
            joined_at: self.joined_at(row, notes),
            line,
        })
    }

    /// The name, or the first and the last name; empty where it can't be read.
    fn name(&self, row: &ByteRecord, notes: &mut Vec<Note>) -> String {
        let part = |at: Option<usize>| match at.and_then(|at| row.get(at)) {
            Some(field) => std::str::from_utf8(field).map(|text| original(text.trim())),
            None => Ok(""),
        };
        let parts = (
            part(self.places[NAME]),
            part(self.first_name),
            part(self.last_name),
        );
        let (Ok(whole), Ok(first), Ok(last)) = parts else {
            notes.push(Note::NameEncoding);
            return String::new();
        };
        if [whole, first, last]
            .iter()
            .any(|text| text.contains('@') && text.contains(['\n', '\r']))
        {
            notes.push(Note::RowInName);
        }
        let name = self.joined_name(tidy(whole), first, last);
        if name.chars().count() > NAME_MAX_CHARS {
            notes.push(Note::LongName);
            return String::new();
        }
        name
    }

    /// Where `name` stands beside only one of first and last name, it is the other one: `Name;Vorname`, `Name,Surname`.
    fn joined_name(&self, whole: String, first: &str, last: &str) -> String {
        let is_part =
            self.places[NAME].is_some() && self.first_name.is_some() != self.last_name.is_some();
        let (first, last) = match (whole.is_empty(), is_part) {
            (true, _) => (first, last),
            // A name of several words may be the whole name.
            (false, true) if self.last_name.is_none() && !whole.contains([' ', '\u{A0}']) => {
                (if whole == first { "" } else { first }, whole.as_str())
            }
            (false, true) if self.first_name.is_none() && !whole.contains(last) => {
                (whole.as_str(), last)
            }
            (false, _) => return whole,
        };
        let is_cjk = |text: &str| !text.is_empty() && text.chars().all(|c| c >= '\u{2E80}');
        if is_cjk(first) && is_cjk(last) {
            return tidy(&format!("{last}{first}"));
        }
        tidy(&format!("{first} {last}"))
    }

    /// The tags as the database holds them; empty where they can't be read.
    fn tags(&self, row: &ByteRecord, notes: &mut Vec<Note>) -> String {
        let Ok(text) = self.get(row, TAGS) else {
            notes.push(Note::TagsEncoding);
            return String::new();
        };
        let tags = tags(text);
        if tags.chars().count() > TAGS_MAX_CHARS {
            notes.push(Note::LongTags);
            return String::new();
        }
        tags
    }

    /// When the person joined; `None` where it is not said, or can't be read.
    fn joined_at(&self, row: &ByteRecord, notes: &mut Vec<Note>) -> Option<Timestamp> {
        let field = self.places[JOINED_AT].and_then(|at| row.get(at))?;
        let text = String::from_utf8_lossy(field);
        let text = original(text.trim());
        let value = || shortened(text);
        match dates::read(text, self.date_order) {
            Ok(time) => return time,
            Err(Unread::Ambiguous) => notes.push(Note::AmbiguousDate { value: value() }),
            Err(Unread::Unknown) => notes.push(Note::Date { value: value() }),
        }
        None
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
        if self.places[STATE].is_none() && self.consent.is_empty() {
            let tags = self.places[TAGS]
                .and_then(|at| row.get(at))
                .unwrap_or_default();
            let tags = String::from_utf8_lossy(tags);
            if let Some(tag) = tags.split([',', ';']).find(|tag| says_gone(tag)) {
                return Err(unknown_word(COLUMNS[TAGS], tag));
            }
        }
        Ok(())
    }

    /// What all columns together say about mailing this person: leaving wins over anything, then what keeps
    /// somebody from being mailed, then an open confirmation.
    fn state(&self, row: &ByteRecord, notes: &mut Vec<Note>) -> Result<SubscriptionState, Refusal> {
        let own = self.own_state(self.get(row, STATE)?, notes)?;
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

    /// Our own column `state`: the words of an export, or those of other products.
    fn own_state(&self, word: &str, notes: &mut Vec<Note>) -> Result<SubscriptionState, String> {
        if word.is_empty() {
            return Ok(SubscriptionState::Active);
        }
        match Reading::Status.vote(word) {
            Vote::State(state) => Ok(state),
            Vote::NotMailed => Err(not_mailed(COLUMNS[STATE], word)),
            Vote::Unknown if self.state_is_place => {
                notes.push(Note::Place {
                    value: shortened(word),
                });
                Ok(SubscriptionState::Active)
            }
            Vote::Nothing | Vote::Missing | Vote::Unknown => Err(format!(
                "“{}” is not a state; known are: active, {STATES}",
                shortened(word)
            )),
        }
    }
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

/// Tags as the database holds them. Commas and semicolons separate; some products write a JSON array, or each tag within
/// quotation marks.
fn tags(text: &str) -> String {
    let array = text
        .starts_with('[')
        .then(|| serde_json::from_str::<Vec<String>>(text).ok());
    let joined = array.flatten().map(|tags| tags.join(","));
    let is_around = |c: char| c.is_whitespace() || matches!(c, '"' | '[' | ']');
    let mut tags: Vec<String> = joined
        .as_deref()
        .unwrap_or(text)
        .split([',', ';'])
        .map(|tag| {
            let tag = tidy(tag);
            let has_more = tag.starts_with(is_around) || tag.ends_with(is_around);
            if has_more {
                tidy(tag.trim_matches(is_around))
            } else {
                tag
            }
        })
        .filter(|tag| !tag.is_empty())
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags.join(",")
}

/// A value without spaces around it.
fn utf8<'r>(field: &'r [u8], column: &str) -> Result<&'r str, String> {
    std::str::from_utf8(field).map(str::trim).map_err(|_| {
        format!(
            "the column “{}” is not text in the file's encoding; save the file as “CSV UTF-8” and import that",
            shortened(column)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 2] = ["weekly", "daily"];

    fn record(fields: &[&str]) -> ByteRecord {
        ByteRecord::from(fields.to_vec())
    }

    fn noted(header: &[&str], row: &[&[u8]]) -> (Result<Entry, Refusal>, Vec<Note>) {
        let keys = KEYS.map(str::to_owned);
        let lists = Lists {
            keys: &keys,
            default: Some(0),
            only_default: false,
        };
        let header = Header::read(&record(header), "people", &[]).unwrap();
        let mut notes = Vec::new();
        let row = ByteRecord::from(row.to_vec());
        (header.entry(&row, 7, &lists, &mut notes), notes)
    }

    fn entry(header: &[&str], row: &[&str]) -> Result<Entry, Refusal> {
        let row: Vec<&[u8]> = row.iter().map(|value| value.as_bytes()).collect();
        noted(header, &row).0
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
        let header = Header::read(&record(&header), "people", &[]).unwrap();
        assert_eq!(header.ignored(), ["Phone"]);
    }

    #[test]
    fn a_row_may_be_short_and_is_active_on_the_list_that_was_named() {
        let read = entry(&["email", "name", "state"], &["a@readers.example"]).unwrap();
        assert_eq!(
            (read.name.as_str(), read.state, read.list),
            ("", SubscriptionState::Active, 0)
        );
        assert_eq!(read.joined_at, None);
        let long = entry(&["email", "name"], &["a@readers.example", "Ann", "", " "]);
        assert_eq!(long.unwrap().name, "Ann");
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said_on_one_line() {
        let all = COLUMNS;
        for (row, why) in [
            (vec!["no-at-sign"], "no @"),
            (vec!["", "Empty"], "there is no address"),
            (
                vec!["a@b.example", "", "monthly"],
                "there is no list monthly; the settings name: weekly, daily",
            ),
            (
                vec!["a@b.example", "", "", "sleeping"],
                "“sleeping” is not a state; known are: active, pending,",
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
        let (read, _) = noted(&["email", "name"], &[b"J\xfcrgen@b.example", b""]);
        assert!(
            matches!(read, Err(Refusal::Row(said)) if said.contains("the column “email” is not text"))
        );
    }

    #[test]
    fn a_value_that_cannot_be_read_costs_nobody_their_subscription() {
        let long = "x".repeat(NAME_MAX_CHARS + 1);
        let date = |value: &str| Note::Date {
            value: value.to_owned(),
        };
        for (row, wanted) in [
            ([&b"Ann"[..], b"", b"yesterday"], date("yesterday")),
            ([b"Ann", b"", b"99/99/2024"], date("99/99/2024")),
            (
                [b"Ann", b"", b"05/06/2024"],
                Note::AmbiguousDate {
                    value: "05/06/2024".to_owned(),
                },
            ),
            ([b"J\xfcrgen", b"", b""], Note::NameEncoding),
            ([long.as_bytes(), b"", b""], Note::LongName),
            ([b"Ann", b"J\xfcrgen", b""], Note::TagsEncoding),
            ([b"Ann", long.repeat(2).as_bytes(), b""], Note::LongTags),
            ([b"Ann\nbob@readers.example,Bob", b"", b""], Note::RowInName),
        ] {
            let row = [b"a@readers.example", row[0], row[1], row[2]];
            let (read, notes) = noted(&["email", "name", "tags", "joined_at"], &row);
            let read = read.unwrap();
            assert_eq!((read.joined_at, read.tags.as_str()), (None, ""));
            assert_eq!(notes, [wanted]);
        }
        let (read, notes) = noted(&["email", "joined_at"], &[b"a@b.example", b"0000-00-00"]);
        assert_eq!((read.unwrap().joined_at, notes), (None, vec![]));
    }

    #[test]
    fn a_state_of_an_address_says_nothing_and_a_word_of_leaving_still_does() {
        let mut header = Header::read(&record(&["email", "city", "state"]), "people", &[]).unwrap();
        header.learn(&[record(&["a@b.example", "Austin", "TX"])]);
        let lists = Lists {
            keys: &["weekly".into()],
            default: Some(0),
            only_default: false,
        };
        for (state, wanted, noted) in [
            ("CA", SubscriptionState::Active, 1),
            ("unsubscribed", SubscriptionState::Unsubscribed, 0),
            ("", SubscriptionState::Active, 0),
        ] {
            let mut notes = Vec::new();
            let row = record(&["a@b.example", "X", state]);
            let read = header.entry(&row, 2, &lists, &mut notes).unwrap();
            assert_eq!((read.state, notes.len()), (wanted, noted), "{state}");
        }
    }

    #[test]
    fn names_are_joined_from_what_there_is() {
        for (header, row, wanted) in [
            (
                &["Vorname", "Nachname"][..],
                &["Eva", "Groß"][..],
                "Eva Groß",
            ),
            (&["Name", "Vorname"], &["Groß", "Eva"], "Eva Groß"),
            (&["Name", "Surname"], &["Mary Ann", "Lee"], "Mary Ann Lee"),
            (&["name", "first_name"], &["Ann Lee", "Ann"], "Ann Lee"),
            (&["name", "first_name"], &["Ann", "Ann"], "Ann"),
            (&["name", "last_name"], &["Ann Lee", "Lee"], "Ann Lee"),
            (
                &["Name", "Vorname", "Nachname"],
                &["Dr. G", "Eva", "Groß"],
                "Dr. G",
            ),
            (&["Nom", "Prénom"], &["Curie", "Marie"], "Marie Curie"),
            (&["姓", "名"], &["王", "小明"], "王小明"),
            (&["FNAME"], &["Ann"], "Ann"),
        ] {
            let header = [&["email"], header].concat();
            let row = [&["a@b.example"], row].concat();
            assert_eq!(entry(&header, &row).unwrap().name, wanted, "{header:?}");
        }
        let beside = entry(&["email"], &["\"Lee, Ann\" <a@b.example>"]).unwrap();
        assert_eq!(beside.name, "Lee, Ann");
        let own = entry(&["email", "name"], &["Ann <a@b.example>", "Ann Lee"]).unwrap();
        assert_eq!(own.name, "Ann Lee");
    }

    #[test]
    fn tags_are_read_as_products_write_them() {
        for (text, wanted) in [
            ("b, a;b", "a,b"),
            ("[\"go\",\"rust\"]", "go,rust"),
            ("[\"caf\\u00e9\"]", "café"),
            ("[]", ""),
            ("\"Blog\",\"VIP\"", "Blog,VIP"),
            ("['a', 'b'", "'a','b'"),
            ("", ""),
        ] {
            assert_eq!(tags(text), wanted, "{text}");
        }
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
}
