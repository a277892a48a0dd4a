//! `pause`, `resume`, `cancel`, `retry`: steering an issue, with the daemon running or without.
//!
//! A command only writes rows; the daemon notices within a second.

use crate::config;
use crate::format::count;
use crate::model::delivery::Totals;
use crate::model::sending::IssueState;
use crate::operate::issues;
use crate::operate::steering::{self, Which};
use crate::store::Store;
use crate::store::issues::IssueRow;

use super::totals::{IssueSummary, name};
use super::{Answer, Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress pause 22")]
pub(super) struct PauseArgs {
    /// Its number, slug or file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress resume 22")]
pub(super) struct ResumeArgs {
    /// Its number, slug or file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress cancel 22")]
pub(super) struct CancelArgs {
    /// Its number, slug or file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress retry 22 --state uncertain")]
pub(super) struct RetryArgs {
    /// Its number, slug or file
    issue: String,
    /// Which mails: failed; uncertain, whose recipients may get them twice; or cancelled, which takes a cancel back
    #[arg(long, value_enum, default_value_t = Whom::Failed)]
    state: Whom,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Whom {
    Failed,
    Uncertain,
    Cancelled,
}

impl From<Whom> for Which {
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::Failed => Which::Failed,
            Whom::Uncertain => Which::Uncertain,
            Whom::Cancelled => Which::Cancelled,
        }
    }
}

pub(super) async fn pause(args: PauseArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let row = steering::pause(&store, &row, &who(), context.clock.now()).await?;
    tell(context, &store, &row, "paused")
}

pub(super) async fn resume(args: ResumeArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let row = steering::resume(&store, &row, context.clock.now()).await?;
    tell(context, &store, &row, "resumed")
}

pub(super) async fn cancel(args: CancelArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let question = match row.totals.open() {
        0 => format!(
            "Cancel {}, “{}”? You can send it again later as long as nobody got it.",
            name(&row),
            row.title
        ),
        open => format!(
            "Cancel the rest of {}, “{}”? {} are waiting or in flight, {} were sent. `letterpress retry {} --state cancelled` can send it to the rest later.",
            name(&row),
            row.title,
            count(open),
            count(row.totals.sent),
            known_as(&row)
        ),
    };
    if !steering::has_ended(&row) && !context.agree(&question)? {
        return Ok(Answer::No);
    }
    let row = steering::cancel(&store, &row, context.clock.now()).await?;
    let done = match row.totals.cancelled {
        0 => "cancelled".to_owned(),
        kept => format!(
            "cancelled for {}; `letterpress retry {} --state cancelled` sends it to them after all",
            crate::format::people(kept),
            known_as(&row)
        ),
    };
    tell(context, &store, &row, &done)
}

pub(super) async fn retry(args: RetryArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let which = Which::from(args.state);
    let (word, warning) = match which {
        Which::Failed => ("failed", ""),
        Which::Uncertain => ("uncertain", " They may have it already, and get it twice."),
        Which::Cancelled => ("cancelled", " None of them has got it."),
    };
    let n = which.count(&row.totals);
    if n == 0 {
        let none = format!("No mail of {} is {word}.", name(&row));
        return context.done(none, &IssueSummary::of(&row));
    }
    let question = match which {
        Which::Cancelled => format!(
            "Send {} after all to the {} whom the cancel kept from getting it?{warning}",
            name(&row),
            count(n)
        ),
        _ => format!(
            "Send {} again to the {} {word}?{warning}",
            name(&row),
            count(n)
        ),
    };
    if !context.agree(&question)? {
        return Ok(Answer::No);
    }
    let (row, queued) = steering::retry(&store, &row, which, context.clock.now()).await?;
    let done = match queued {
        0 => "queued again".to_owned(),
        queued => format!("queued again for {}", count(queued)),
    };
    tell(context, &store, &row, &done)
}

/// What an issue is called in a command.
fn known_as(row: &IssueRow) -> String {
    row.number
        .map_or_else(|| row.slug.clone(), |number| number.to_string())
}

/// Who gave the command: the user's name, or its number if it has none.
fn who() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let called = |number| {
        if number == 0 {
            "root".to_owned()
        } else {
            format!("user {number}")
        }
    };
    let number = || {
        std::fs::metadata("/proc/self")
            .ok()
            .map(|process| called(process.uid()))
    };
    config::user()
        .or_else(number)
        .unwrap_or_else(|| "its author".into())
}

async fn open(context: &Context, issue: &str) -> Result<(Store, IssueRow), Failure> {
    let settings = context.settings()?;
    let store = context.store_of(&settings, issue).await?;
    let row = issues::find(&store, issue, context.common.list.as_deref()).await?;
    Ok((store, row))
}

/// Says what was done, and what is still open.
fn tell(context: &Context, store: &Store, row: &IssueRow, done: &str) -> Outcome {
    let mut words = format!("{} is {done}.", name(row));
    words.push_str(&rest(&row.totals));
    if row.state == IssueState::Sending && !issues::is_daemon_running(store.path()) {
        words.push_str(" No daemon is running: it continues when `letterpress serve` does.");
    }
    context.done(words, &IssueSummary::of(row))
}

/// How many still wait, and how many are with a server: those a pause or a cancel no longer reaches.
fn rest(totals: &Totals) -> String {
    let mut words = String::new();
    let waiting = totals.queued + totals.deferred;
    if waiting > 0 {
        let verb = if waiting == 1 { "waits" } else { "wait" };
        words.push_str(&format!(
            " {} of {} {verb}.",
            count(waiting),
            count(totals.planned())
        ));
    }
    if totals.sending > 0 {
        let verb = if totals.sending == 1 { "is" } else { "are" };
        words.push_str(&format!(" {} {verb} in flight.", count(totals.sending)));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_tells_who_waits_from_who_is_in_flight() {
        let totals = |queued, sending| Totals {
            queued,
            sending,
            deferred: 1,
            sent: 443,
            ..Totals::default()
        };
        assert_eq!(rest(&totals(2, 4)), " 3 of 450 wait. 4 are in flight.");
        assert_eq!(
            rest(&Totals {
                sending: 1,
                sent: 9,
                ..Totals::default()
            }),
            " 1 is in flight."
        );
        assert_eq!(
            rest(&Totals {
                deferred: 1,
                sent: 9,
                ..Totals::default()
            }),
            " 1 of 10 waits."
        );
        assert_eq!(
            rest(&Totals {
                sent: 450,
                ..Totals::default()
            }),
            ""
        );
    }
}
