//! `subscribers import`: the file is looked at before the question is asked; rows that are not taken are named on stderr
//! as they are met; the sum comes last.

use std::path::PathBuf;

use crate::config::Settings;
use crate::format::count;
use crate::model::subscriber::NAME_MAX_CHARS;
use crate::people::{
    self, Encoding, Event, Field, ImportError, Mapping, Note, Options, Outlook, Plan, Report,
    Separator,
};
use crate::stdio;

use super::super::progress::Progress;
use super::super::{Answer, Context, Failure, Outcome};
use super::{named_list, with_lists};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A CSV file whose first line names the columns
    file: PathBuf,
    /// Take a field from a column of another name, or by its number: email=Contact, name=3; can be repeated
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<Mapping>,
    /// What separates the columns, if it is not found: one character, or tab
    #[arg(long, value_name = "C")]
    separator: Option<Separator>,
    /// The encoding of the file, such as windows-1252, if it is not UTF-8 and has no byte order mark
    #[arg(long, value_name = "NAME")]
    encoding: Option<Encoding>,
}

pub(super) async fn run(args: Args, context: &Context, settings: &Settings) -> Outcome {
    let path = args.file.display().to_string();
    let options = Options {
        mappings: args.map,
        separator: args.separator,
        encoding: args.encoding,
    };
    let file = people::open(args.file, options).await.map_err(failure)?;
    for note in notes(&path, file.outlook()) {
        stdio::eprintln(stdio::one_line(&note));
    }
    let store = context.new_store(settings).await?;
    let (store, lists) = with_lists(context, settings, store).await?;
    let named = named_list(context, settings, &lists)?;
    let only = if let [only] = settings.lists.as_slice() {
        Some(only.key.as_str())
    } else {
        None
    };
    let default = named.map(|(key, _)| key).or(only);
    if !context.agree(&question(&path, file.outlook(), default))? {
        return Ok(Answer::No);
    }
    let plan = Plan {
        file,
        lists: settings
            .lists
            .iter()
            .map(|list| (list.key.clone(), lists[&list.key]))
            .collect(),
        default: default.map(str::to_owned),
        only_default: named.is_some(),
        now: context.clock.now(),
    };
    let mut progress = Progress::begin();
    let report = people::import(&store, plan, |event| tell(event, &path, &mut progress)).await;
    progress.end();
    let report = report.map_err(failure)?;
    if context.json() {
        context.print_json(&report)?;
    } else {
        context.print(sum(&report))?;
    }
    Ok(if report.rejected == 0 {
        Answer::Done
    } else {
        Answer::No
    })
}

/// Such as `Import 12 rows of people.csv (email, name) into weekly? …`.
fn question(path: &str, outlook: &Outlook, into: Option<&str>) -> String {
    let rows = rows(outlook.rows);
    let columns: Vec<String> = outlook.columns.iter().map(column).collect();
    let question = format!(
        "Import {rows} of {path} ({}) into {}?",
        columns.join(", "),
        into.unwrap_or("the lists it names")
    );
    let who = match outlook.everybody {
        Some(state) => format!("Everybody in it becomes {}.", state.word()),
        None if outlook.consent.is_empty() && !has(outlook, Field::State) => {
            "Everybody in it will be subscribed.".to_owned()
        }
        None => {
            "Everybody in it will be subscribed, except those who must not be mailed.".to_owned()
        }
    };
    stdio::one_line(&format!("{question} {who}")).into_owned()
}

fn has(outlook: &Outlook, field: Field) -> bool {
    outlook.columns.iter().any(|(known, _)| *known == field)
}

/// A field, with its column if that has another name.
fn column((field, name): &(Field, String)) -> String {
    if name.eq_ignore_ascii_case(&field.to_string()) {
        field.to_string()
    } else {
        format!("{field} from “{name}”")
    }
}

/// What an author should know of a file before it is imported.
fn notes(path: &str, outlook: &Outlook) -> Vec<String> {
    let mut notes = Vec::new();
    let line = outlook.header_line.unwrap_or(1);
    if let Some(sample) = &outlook.encoding_guessed_by {
        let encoding = outlook.encoding;
        notes.push(format!(
            "{path}:{}: note: the file is read as {encoding}, in which this line says “{}”; if that is wrong, add \
             --encoding",
            sample.line, sample.text
        ));
    }
    if outlook.header_line.is_none() {
        notes.push(format!(
            "{path}:1: note: the first line holds an address, so the file is read without a line that names its columns"
        ));
    }
    let renamed: Vec<String> = outlook
        .columns
        .iter()
        .map(column)
        .filter(|text| text.contains('“'))
        .collect();
    if !renamed.is_empty() && outlook.header_line.is_some() {
        notes.push(format!("{path}:{line}: note: {}", renamed.join(", ")));
    }
    if !outlook.ignored.is_empty() {
        notes.push(format!(
            "{path}:{line}: note: these columns are not known and are ignored: {}",
            outlook.ignored.join(", ")
        ));
    }
    if !outlook.consent.is_empty() {
        notes.push(format!(
            "{path}:{line}: note: these columns say who must not be mailed, and are read: {}",
            outlook.consent.join(", ")
        ));
    }
    if let Some(state) = outlook.everybody {
        notes.push(format!(
            "{path}: note: by the file's name everybody in it is {}",
            state.word()
        ));
    }
    notes
}

fn tell(event: Event, path: &str, progress: &mut Progress) {
    let line = match event {
        Event::Written { rows, of } => return progress.show(rows, of),
        Event::Rejected { line, reason } => format!("{path}:{line}: {reason}"),
        Event::Noted { line, note } => format!("{path}:{line}: warning: {}", noted(&note)),
        Event::NotedMore { like, rows } => format!(
            "{path}: warning: {} more row{} {}",
            count(rows),
            if rows == 1 { "" } else { "s" },
            noted_again(&like)
        ),
    };
    progress.say_whole(&stdio::one_line(&line));
}

/// What is odd about a row that was taken.
fn noted(note: &Note) -> String {
    match note {
        Note::Date { value } => format!(
            "“{value}” is not a date such as 2026-11-30; the row is imported without it"
        ),
        Note::AmbiguousDate { value } => format!(
            "“{value}” may be day and month or month and day; the row is imported without it. Write it as 2026-11-30"
        ),
        Note::NameEncoding => {
            "the name is not text in the file's encoding; the row is imported without it".to_owned()
        }
        Note::LongName => format!(
            "the name is longer than {NAME_MAX_CHARS} characters; the row is imported without it"
        ),
        Note::TagsEncoding => {
            "the tags are not text in the file's encoding; the row is imported without them".to_owned()
        }
        Note::LongTags => {
            "the tags are longer than 1,000 characters; the row is imported without them".to_owned()
        }
        Note::Place { value } => format!(
            "“{value}” in the column state seems to be part of an address; the person is imported as active"
        ),
        Note::RowInName => {
            "the name holds a line break and an @: check whether a quotation mark has swallowed the next row".to_owned()
        }
    }
}

/// The same of rows that are not named one by one.
fn noted_again(note: &Note) -> &'static str {
    match note {
        Note::Date { .. } => "imported without their date, which could not be read",
        Note::AmbiguousDate { .. } => {
            "imported without their date, in which day and month can't be told apart"
        }
        Note::NameEncoding => {
            "imported without their name, which is not text in the file's encoding"
        }
        Note::LongName => "imported without their name, which is too long",
        Note::TagsEncoding => {
            "imported without their tags, which are not text in the file's encoding"
        }
        Note::LongTags => "imported without their tags, which are too long",
        Note::Place { .. } => {
            "imported as active, since the column state seems to be part of an address"
        }
        Note::RowInName => "with a name that holds a line break and an @",
    }
}

/// Such as `10 rows: 5 added, 2 unchanged, 3 rejected`.
fn sum(report: &Report) -> String {
    let parts = [
        (report.added, "added"),
        (report.updated, "updated"),
        (report.unchanged, "unchanged"),
        (report.rejected, "rejected"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", count(*n)))
        .collect();
    let rows = rows(report.rows);
    if parts.is_empty() {
        rows
    } else {
        format!("{rows}: {}", parts.join(", "))
    }
}

fn rows(n: u64) -> String {
    format!("{} row{}", count(n), if n == 1 { "" } else { "s" })
}

/// What was stored before stays, and is not doubled: that is worth saying.
fn failure(error: ImportError) -> Failure {
    match error {
        ImportError::Store(mut error) if !error.is_refused() => {
            let again = "Then import the file again: it continues where it stopped.";
            error.help = Some(match error.help {
                Some(help) => format!("{help} {again}"),
                None => again.to_owned(),
            });
            error.into()
        }
        ImportError::Store(error) => error.into(),
        ImportError::File(why) => Failure::said(&why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_leaves_out_what_is_zero() {
        let report = Report {
            rows: 1010,
            added: 1005,
            updated: 0,
            unchanged: 2,
            rejected: 3,
        };
        assert_eq!(
            sum(&report),
            "1,010 rows: 1,005 added, 2 unchanged, 3 rejected"
        );
        assert_eq!(sum(&Report::default()), "0 rows");
        assert_eq!(
            sum(&Report {
                rows: 1,
                updated: 1,
                ..Report::default()
            }),
            "1 row: 1 updated"
        );
    }
}
