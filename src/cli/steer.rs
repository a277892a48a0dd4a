//! `pause`, `resume`, `cancel`, `retry`: steering an issue, with the daemon running or without.
//!
//! A command only writes rows; the daemon notices within a second.

use crate::config;
use crate::model::delivery::State;
use crate::model::sending::IssueState;
use crate::store::issues::IssueRow;
use crate::store::steering::Steered;
use crate::store::{DaemonLock, Store};
use crate::words::count;

use super::totals::{Line, name};
use super::{Answer, Context, Failure, Outcome, pick};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress pause 22")]
pub struct PauseArgs {
    /// Its number, its slug or its file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress resume 22")]
pub struct ResumeArgs {
    /// Its number, its slug or its file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress cancel 22")]
pub struct CancelArgs {
    /// Its number, its slug or its file
    issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress retry 22 --state uncertain")]
pub struct RetryArgs {
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

pub async fn pause(args: PauseArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let why = format!("paused by {} with “letterpress pause” at {:.0}", who(), context.clock.now());
    let steered = store.pause(row.id, &why).await?;
    told(context, &store, &row, steered, "paused").await
}

pub async fn resume(args: ResumeArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    if row.state == IssueState::Held && store.rendered(row.id).await.is_err() {
        return Err(Failure::no(format!("{} was never rendered, so there is nothing to send", name(&row)))
            .at(row.file.display().to_string())
            .to_do(format!("Mend the file, then\n  letterpress send {}", row.file.display())));
    }
    let steered = store.resume(row.id, context.clock.now()).await?;
    told(context, &store, &row, steered, "resumed").await
}

pub async fn cancel(args: CancelArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let question = match row.totals.open() {
        0 => format!("Cancel {}, “{}”?", name(&row), row.title),
        open => format!(
            "Cancel the rest of {}, “{}”: {} wait, {} have it?",
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

pub async fn retry(args: RetryArgs, context: &Context) -> Outcome {
    let (store, row) = open(context, &args.issue).await?;
    let (which, n, warning) = match args.state {
        Whom::Failed => (State::Failed, row.totals.failed, ""),
        Whom::Uncertain => {
            (State::Uncertain, row.totals.uncertain, " They may have it already, and get it twice.")
        }
    };
    if n == 0 {
        let none = match args.state {
            Whom::Failed => format!("No mail of {} has failed.", name(&row)),
            Whom::Uncertain => format!("No mail of {} is uncertain.", name(&row)),
        };
        return context.done(none, &Line::of(&row));
    }
    let question = format!("Send {} once more to the {} {}?{warning}", name(&row), count(n), which.word());
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
        return Err(Failure::no(stopped).to_do("`letterpress deliveries` shows where each issue stands."));
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
    let number = || std::fs::metadata("/proc/self").ok().map(|process| format!("user {}", process.uid()));
    config::user().or_else(number).unwrap_or_else(|| "its author".into())
}

async fn open(context: &Context, issue: &str) -> Result<(Store, IssueRow), Failure> {
    let settings = context.settings()?;
    let store = context.store(&settings).await?;
    let row = pick::issue(context, &store, issue).await?;
    Ok((store, row))
}

/// Says what became of it; what could not be done is a no.
async fn told(context: &Context, store: &Store, before: &IssueRow, steered: Steered, done: &str) -> Outcome {
    match steered {
        Steered::Now(state) => {
            let row = store.issue(before.id).await?;
            let row = row.as_ref().unwrap_or(before);
            let mut words = format!("{} is {done}.", name(row));
            if row.totals.planned() > 0 {
                words.push_str(&format!(
                    " {} of {} wait.",
                    count(row.totals.open()),
                    count(row.totals.planned())
                ));
            }
            if state == IssueState::Sending && DaemonLock::holder(store.path()).is_none() {
                words.push_str(" No daemon runs: it goes on when `letterpress serve` does.");
            }
            context.done(words, &Line::of(row))
        }
        Steered::Not(state) => {
            Err(Failure::no(format!("{} is {}, so it can't be {done}", name(before), state.word()))
                .to_do("`letterpress deliveries` shows where each issue stands."))
        }
        Steered::Unknown => Err(Failure::no(format!("{} is no longer there", name(before)))),
    }
}
