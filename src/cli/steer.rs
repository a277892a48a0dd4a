//! `pause`, `resume`, `cancel`, `retry`: steering an issue, with the daemon running or without.
//!
//! A command only writes rows; the daemon notices within a second.

use crate::config;
use crate::format::count;
use crate::model::delivery::{State, Totals};
use crate::model::sending::IssueState;
use crate::store::issues::IssueRow;
use crate::store::steering::Steered;
use crate::store::{DaemonLock, Store};

use super::totals::{IssueSummary, name};
use super::{Answer, Context, Failure, Outcome, pick};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress pause 22")]
pub(super) struct PauseArgs {
    /// Its number, its slug or its file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress resume 22")]
pub(super) struct ResumeArgs {
    /// Its number, its slug or its file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress cancel 22")]
pub(super) struct CancelArgs {
    /// Its number, its slug or its file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress retry 22 --state uncertain")]
pub(super) struct RetryArgs {
    /// Its number, its slug or its file
    issue: String,
    /// Whom: the failed, or the uncertain, who may get it twice
    #[arg(long, value_enum, default_value_t = Whom::Failed)]
    state: Whom,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Whom {
    Failed,
    Uncertain,
}

pub(super) async fn pause(args: PauseArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let why = format!(
        "paused by {} with “letterpress pause” at {:.0}",
        who(),
        context.clock.now()
    );
    let steered = store.pause(row.id, &why).await?;
    told(context, &store, &row, steered, "paused").await
}

pub(super) async fn resume(args: ResumeArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    if row.state == IssueState::Held && store.rendered(row.id).await.is_err() {
        return Err(Failure::no(format!(
            "{} was never rendered, so there is nothing to send",
            name(&row)
        ))
        .at(row.file.display().to_string())
        .to_do(format!(
            "Mend the file, then\n  letterpress send {}",
            row.file.display()
        )));
    }
    let steered = store.resume(row.id, context.clock.now()).await?;
    told(context, &store, &row, steered, "resumed").await
}

pub(super) async fn cancel(args: CancelArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let question = match row.totals.open() {
        0 => format!("Cancel {}, “{}”?", name(&row), row.title),
        open => format!(
            "Cancel the rest of {}, “{}”: {} wait or are in flight, {} have it?",
            name(&row),
            row.title,
            count(open),
            count(row.totals.sent)
        ),
    };
    // What is over is told without a question; a cancel that was killed is completed without another.
    let is_over = matches!(row.state, IssueState::Done | IssueState::Cancelled);
    if !is_over && !context.agree(&question)? {
        return Ok(Answer::No);
    }
    let steered = store.cancel(row.id, context.clock.now()).await?;
    told(context, &store, &row, steered, "cancelled").await
}

pub(super) async fn retry(args: RetryArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let (which, n, warning) = match args.state {
        Whom::Failed => (State::Failed, row.totals.failed, ""),
        Whom::Uncertain => (
            State::Uncertain,
            row.totals.uncertain,
            " They may have it already, and get it twice.",
        ),
    };
    if n == 0 {
        let none = match args.state {
            Whom::Failed => format!("No mail of {} has failed.", name(&row)),
            Whom::Uncertain => format!("No mail of {} is uncertain.", name(&row)),
        };
        return context.done(none, &IssueSummary::of(&row));
    }
    let question = format!(
        "Send {} once more to the {} {}?{warning}",
        name(&row),
        count(n),
        which.word()
    );
    if !context.agree(&question)? {
        return Ok(Answer::No);
    }
    let (steered, moved) = store.retry(row.id, which, context.clock.now()).await?;
    if let (Steered::Not(state), 1..) = (steered, moved) {
        let stopped = format!(
            "{} is {} since a moment ago: only {} were queued once more",
            name(&row),
            state.word(),
            count(moved)
        );
        return Err(
            Failure::no(stopped).to_do("`letterpress deliveries` shows where each issue stands.")
        );
    }
    let done = match moved {
        0 => "queued once more".to_owned(),
        moved => format!("queued once more for {}", count(moved)),
    };
    told(context, &store, &row, steered, &done).await
}

/// Who gave the command, as people know them: by the user's name, or by its number where there is none.
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
    let store = context.store(&settings).await?;
    let row = pick::issue(context, &store, issue).await?;
    Ok((store, row))
}

/// Says what became of it; what could not be done is a no.
async fn told(
    context: &Context,
    store: &Store,
    before: &IssueRow,
    steered: Steered,
    done: &str,
) -> Outcome {
    match steered {
        Steered::Now(state) => {
            let row = store.issue(before.id).await?;
            let row = row.as_ref().unwrap_or(before);
            let mut words = format!("{} is {done}.", name(row));
            words.push_str(&rest(&row.totals));
            if state == IssueState::Sending && DaemonLock::holder(store.path()).is_none() {
                words.push_str(" No daemon runs: it goes on when `letterpress serve` does.");
            }
            context.done(words, &IssueSummary::of(row))
        }
        Steered::Not(state) => {
            Err(
                Failure::no(format!("{} is {}", name(before), why_not(state, done)))
                    .to_do("`letterpress deliveries` shows where each issue stands."),
            )
        }
        Steered::Unknown => Err(Failure::no(format!("{} is no longer there", name(before)))),
    }
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

/// Why an issue that is in this state can't be `done` so.
fn why_not(state: IssueState, done: &str) -> String {
    match (state, done) {
        _ if state.word() == done => format!("already {done}"),
        (IssueState::Scheduled | IssueState::Sending, "resumed") => {
            format!(
                "{} and not paused, so there is nothing to resume",
                state.word()
            )
        }
        _ => format!("{}, so it can't be {done}", state.word()),
    }
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

    #[test]
    fn what_is_so_already_is_called_so() {
        assert_eq!(why_not(IssueState::Paused, "paused"), "already paused");
        assert_eq!(
            why_not(IssueState::Cancelled, "cancelled"),
            "already cancelled"
        );
        assert!(why_not(IssueState::Sending, "resumed").contains("nothing to resume"));
        assert_eq!(
            why_not(IssueState::Done, "cancelled"),
            "done, so it can't be cancelled"
        );
    }
}
