//! Columns and values of a file: the first line names the columns, each further row becomes an [`Entry`] or
//! gives the reason why it is none.

use csv::ByteRecord;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::model::Address;
use crate::model::subscriber::{NAME_MAX_CHARS, tidy};
use crate::model::subscription::SubscriptionState;

/// The longest column of tags that is taken, in characters.
const TAGS_MAX_CHARS: usize = 1000;

/// The columns that are read, in the order in which an export has them.
pub(super) const COLUMNS: [&str; 6] = ["email", "name", "list", "state", "tags", "joined_at"];

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

/// Where each column stands.
#[derive(Debug)]
pub(super) struct Header {
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
    /// Columns that nobody reads, as the file writes them.
    pub ignored: Vec<String>,
}

impl Header {
    /// Reads the first line. Case and spaces around a word do not count.
    ///
    /// # Errors
    /// A sentence without a final stop: no column `email`, or one of the columns twice.
    pub(super) fn read(record: &ByteRecord) -> Result<Header, String> {
        let mut header = Header {
            places: Default::default(),
            width: record.len(),
            ignored: Vec::new(),
        };
        for (i, field) in record.iter().enumerate() {
            let word = String::from_utf8_lossy(field).trim().to_owned();
            match COLUMNS
                .iter()
                .position(|column| word.eq_ignore_ascii_case(column))
            {
                Some(column) if header.places[column].is_some() => {
                    return Err(format!(
                        "the first line names the column {} twice",
                        COLUMNS[column]
                    ));
                }
                Some(column) => header.places[column] = Some(i),
                None => header.ignored.push(word),
            }
        }
        if header.places[0].is_none() {
            if record.iter().all(<[u8]>::is_empty) {
                return Err("the file is empty".into());
            }
            let seen = header
                .ignored
                .iter()
                .map(|word| shortened(word))
                .collect::<Vec<_>>()
                .join(", ");
            return Err(format!(
                "the first line must name the columns, and email among them; it reads: {seen}"
            ));
        }
        Ok(header)
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
        std::str::from_utf8(field).map(str::trim).map_err(|_| {
            format!(
                "the {} is not in UTF-8; save the file as “CSV UTF-8” and import that",
                COLUMNS[column]
            )
        })
    }

    /// Checks a row.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub(super) fn entry(
        &self,
        row: &ByteRecord,
        line: u64,
        lists: &Lists<'_>,
    ) -> Result<Entry, String> {
        if row.len() > self.width {
            return Err(format!(
                "the row has {} values for {} columns; a value that holds a comma needs quotation marks",
                row.len(),
                self.width
            ));
        }
        let email = Address::parse(self.get(row, 0)?).map_err(|e| e.to_string())?;
        let name = tidy(self.get(row, 1)?);
        if name.chars().count() > NAME_MAX_CHARS {
            return Err(format!(
                "the name is longer than {NAME_MAX_CHARS} characters"
            ));
        }
        Ok(Entry {
            email,
            name,
            list: lists.of(self.get(row, 2)?)?,
            state: state(self.get(row, 3)?)?,
            tags: tags(self.get(row, 4)?)?,
            joined_at: time(self.get(row, 5)?)?,
            line,
        })
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

fn state(word: &str) -> Result<SubscriptionState, String> {
    if word.is_empty() {
        return Ok(SubscriptionState::Active);
    }
    SubscriptionState::from_word(&word.to_ascii_lowercase()).ok_or_else(|| {
        let known = SubscriptionState::ALL
            .map(SubscriptionState::word)
            .join(", ");
        format!("“{}” is no state; known are: {known}", shortened(word))
    })
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

/// Foreign text as it stands in a message: one line, not too long.
fn shortened(text: &str) -> String {
    let text = tidy(text);
    match text.char_indices().nth(40) {
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

    fn entry(header: &[&str], row: &[&str]) -> Result<Entry, String> {
        let keys = KEYS.map(str::to_owned);
        let lists = Lists {
            keys: &keys,
            default: Some(0),
            only_default: false,
        };
        Header::read(&record(header))
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
        assert_eq!(Header::read(&record(&header)).unwrap().ignored, ["Phone"]);
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
                vec!["a@b.example", "", "", "subscribed"],
                "“subscribed” is no state; known are: pending, active,",
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
            let said = entry(&all, &row).unwrap_err();
            assert!(said.contains(why) && !said.contains('\n'), "{said}");
        }
        let header = Header::read(&record(&["email", "name"])).unwrap();
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
        assert!(said.unwrap_err().contains("the name is not in UTF-8"));
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
        let said = Header::read(&record(&["ann@readers.example", "Ann"])).unwrap_err();
        assert!(
            said.contains("it reads: ann@readers.example, Ann"),
            "{said}"
        );
        assert!(
            Header::read(&record(&["email", "name", "Email"]))
                .unwrap_err()
                .contains("email twice")
        );
    }
}
