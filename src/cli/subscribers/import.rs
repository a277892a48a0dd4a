//! `subscribers import`: rows that are not taken are named on stderr as they are met; the sum comes last.

use std::path::PathBuf;

use crate::config::Settings;
use crate::format::count;
use crate::people::{self, Event, ImportError, Plan, Report};
use crate::stdio;

use super::super::progress::Progress;
use super::super::{Answer, Context, Failure, Outcome};
use super::{named_list, with_lists};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A CSV file whose first line names the columns
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context, settings: &Settings) -> Outcome {
    let store = context.new_store(settings).await?;
    let (store, lists) = with_lists(context, settings, store).await?;
    let named = named_list(context, settings, &lists)?;
    let only = if let [only] = settings.lists.as_slice() {
        Some(only.key.as_str())
    } else {
        None
    };
    let default = named.map(|(key, _)| key).or(only);
    let file = args.file.display().to_string();
    let into = default.map_or("the lists it names".to_owned(), str::to_owned);
    if !context.agree(&format!(
        "Import {file} into {into}? Everybody in it will be subscribed."
    ))? {
        return Ok(Answer::No);
    }
    let plan = Plan {
        file: args.file,
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
    let report = people::import(&store, plan, |event| tell(event, &file, &mut progress)).await;
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

fn tell(event: Event, file: &str, progress: &mut Progress) {
    match event {
        Event::Ignored(columns) => {
            let columns = columns.join(", ");
            let columns = stdio::one_line(&columns);
            stdio::eprintln(format_args!(
                "{file}:1: note: these columns are not known and are ignored: {columns}"
            ));
        }
        Event::ConsentRead(columns) => {
            let columns = columns.join(", ");
            stdio::eprintln(format_args!(
                "{file}:1: note: these columns say who must not be mailed, and are read: {columns}"
            ));
        }
        Event::Everybody(state) => {
            stdio::eprintln(format_args!(
                "{file}: note: by the file's name everybody in it is {}",
                state.word()
            ));
        }
        Event::Rejected { line, reason } => {
            progress.end();
            let reason = stdio::one_line(&reason);
            stdio::eprintln(format_args!("{file}:{line}: {reason}"));
        }
        Event::Written { rows, of } => progress.show(rows, of),
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
    let rows = format!(
        "{} row{}",
        count(report.rows),
        if report.rows == 1 { "" } else { "s" }
    );
    if parts.is_empty() {
        rows
    } else {
        format!("{rows}: {}", parts.join(", "))
    }
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
