//! `send`: queues an issue, for now or for later; `--wait` follows it to its end.
//!
//! Everything that can refuse a send is asked before anything is written: relay and public address, the time,
//! the file, its findings, the daemon where it is waited for, and the author's word.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::format::count;
use crate::format::reason::local_time;
use crate::model::rendered::{MergeField, Piece};
use crate::model::sending::IssueState;
use crate::model::waiting::Reason;
use crate::model::{Finding, IssueId, List, Severity};
use crate::operate::queue::{self, Plan, Queued, When};
use crate::operate::{Error, Refusal, issues};
use crate::publish::Proof;
use crate::stdio;
use crate::store::Store;
use crate::store::issues::IssueRow;

use super::layout::wrap;
use super::terminal::Paint;
use super::totals::{IssueSummary, name};
use super::{Answer, Context, Failure, Outcome, findings, follow, issue_file, ledger, refusal};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress send issues/022.md --wait")]
pub(super) struct Args {
    /// The issue's Markdown file
    file: PathBuf,
    /// When to send: RFC 3339, or 2026-11-30 07:00 in the list's zone
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Wait until it was sent, showing progress
    #[arg(long)]
    wait: bool,
    /// Send in spite of errors that `check` finds
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    context.can_send(&settings)?;
    let manuscript = issue_file::read(&args.file)?;
    let list = issue_file::list(context, &settings, &manuscript)?;
    let when = match &args.at {
        Some(text) => time(text, list, context.clock.now())?,
        None => When::Now,
    };
    let proof = issue_file::compose(
        &settings,
        list,
        manuscript,
        &issue_file::media_base(&settings),
    )?;
    if !args.force
        && let Some(no) = issue_file::stopped_by(context, &proof.findings)?
    {
        return Ok(no);
    }
    if args.wait && !issues::is_daemon_running(&settings.database) {
        let database = settings.database.clone();
        return Err(Refusal::NoDaemon { database }.into());
    }
    let store = context.new_store(&settings).await?;
    let (subject, is_draft) = (subject(&proof), proof.issue.meta.draft);
    let remarks = remarks(&proof.findings);
    let plan = queue::plan(&store, list, proof, when, context.clock.now()).await?;
    let question = question(&plan, list, &subject, is_draft)?;
    tell(context, &args.file, &remarks);
    let Some(queued) = agreed(context, &store, &plan, list, &question).await? else {
        return Ok(Answer::No);
    };
    // Who was asked has read it in the question.
    if is_draft && context.common.yes {
        let text = format!(
            "{} is marked as a draft, and is sent all the same.",
            args.file.display()
        );
        stdio::eprintln(wrap(&text, "", 0));
    }
    if args.wait {
        let ended = tokio::select! {
            ended = follow::to_its_end(&store, queued.id, &list.zone) => ended?,
            Ok(()) = tokio::signal::ctrl_c() => return Err(left(&store, queued.id).await?),
        };
        return tell_end(context, &ended, &list.zone);
    }
    tell_queued(context, &store, list, queued).await
}

/// What `check` finds wrong with an issue and what does not stop this send.
fn remarks(found: &[Finding]) -> Vec<Finding> {
    let is_wrong = |finding: &&Finding| finding.severity != Severity::Note;
    found.iter().filter(is_wrong).cloned().collect()
}

/// Shows remarks above the question, or only their number if nothing is asked.
fn tell(context: &Context, file: &Path, remarks: &[Finding]) {
    if remarks.is_empty() {
        return;
    }
    if context.common.yes {
        let text = format!(
            "{}; `letterpress check {}` shows them.",
            findings::sum(remarks),
            file.display()
        );
        stdio::eprintln(wrap(&text, "", 0));
    } else {
        stdio::eprint(format_args!(
            "{}",
            findings::listing(remarks, Paint::stderr())
        ));
    }
}

/// The subject as the question shows it: a personal field as its braces.
fn subject(proof: &Proof) -> String {
    let shown = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Field {
            field: MergeField::Email,
            ..
        } => "{{ email }}".to_owned(),
        Piece::Field { .. } => "{{ name }}".to_owned(),
    };
    proof.composed.rendered.subject.iter().map(shown).collect()
}

/// A time that somebody typed; one that has passed is refused.
fn time(text: &str, list: &List, now: Timestamp) -> Result<When, Failure> {
    let local = |text: &str| {
        let civil: DateTime = text.trim().parse().ok()?;
        civil
            .to_zoned(list.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    let at = text
        .trim()
        .parse::<Timestamp>()
        .ok()
        .or_else(|| local(text))
        .ok_or_else(|| {
            Failure::new(format!("“{text}” is not a time")).help(
                "Write it as 2026-11-30T07:00:00+01:00, or as 2026-11-30 07:00 in the list's zone.",
            )
        })?;
    Ok(When::later(at, &list.zone, now)?)
}

/// What is asked before an issue is queued.
fn question(plan: &Plan, list: &List, subject: &str, is_draft: bool) -> Result<String, Failure> {
    plan.reaches_somebody()?;
    let when = match plan.when {
        When::Now => "now".to_owned(),
        When::At(at) => format!("at {}", local_time(at, &list.zone)),
    };
    let draft = if is_draft {
        ", which is still a draft,"
    } else {
        ","
    };
    let replaces = plan.replaces.map_or_else(String::new, |due_at| {
        format!(
            " It replaces the one that is scheduled for {}.",
            local_time(due_at, &list.zone)
        )
    });
    Ok(format!(
        "Send {} with the subject “{subject}”{draft} to {} on {} {when}?{replaces}",
        refusal::name(&plan.issue),
        crate::format::people(plan.subscribers),
        list.key
    ))
}

/// Queues an issue once its author has agreed; `None` if they did not.
async fn agreed(
    context: &Context,
    store: &Store,
    plan: &Plan,
    list: &List,
    question: &str,
) -> Result<Option<Queued>, Failure> {
    if !context.agree(question)? {
        return Ok(None);
    }
    let replace = context.common.yes || plan.replaces.is_some();
    let refused = match plan.queue(store, replace, context.clock.now()).await {
        Err(Error::Refused(Refusal::AlreadyScheduled { due_at, .. })) => due_at,
        queued => return Ok(Some(queued?)),
    };
    // It was scheduled while the question stood.
    let question = format!(
        "{} is already scheduled for {}. Replace it?",
        refusal::name(&plan.issue),
        local_time(refused.timestamp(), &list.zone)
    );
    if !context.agree(&question)? {
        return Ok(None);
    }
    Ok(Some(plan.queue(store, true, context.clock.now()).await?))
}

async fn tell_queued(context: &Context, store: &Store, list: &List, queued: Queued) -> Outcome {
    let Some(row) = issues::get(store, queued.id).await? else {
        return Ok(Answer::Done);
    };
    let mut words = format!("{}, “{}”, is queued", name(&row), row.title);
    if row.due_at > context.clock.now() {
        words.push_str(&format!(" for {}", local_time(row.due_at, &list.zone)));
    }
    words.push('.');
    if queued.replaced {
        words.push_str(" It replaces what was queued before.");
    }
    if !issues::is_daemon_running(store.path()) {
        words.push_str(" No daemon is running: it is sent when `letterpress serve` runs.");
    }
    context.done(words, &IssueSummary::of(&row))
}

/// Said to somebody who no longer waits.
async fn left(store: &Store, id: IssueId) -> Result<Failure, Failure> {
    let Some(row) = issues::get(store, id).await? else {
        return Ok(Failure::interrupted("the wait was interrupted"));
    };
    let number = row
        .number
        .map_or_else(|| row.slug.clone(), |number| number.to_string());
    Ok(
        Failure::interrupted(format!("the wait for {} was interrupted", name(&row))).help(format!(
            "Sending continues; `letterpress cancel {number}` stops it."
        )),
    )
}

fn tell_end(context: &Context, ended: &follow::Ended, zone: &TimeZone) -> Outcome {
    let row = &ended.row;
    if context.json() {
        context.print_json(&IssueSummary::of(row))?;
    } else {
        context.print(ledger::sum(&row.totals, Some(ended.took), context.paint).trim_end())?;
    }
    if matches!(row.state, IssueState::Paused | IssueState::Held) {
        return stopped(context, row, zone);
    }
    Ok(follow::answer(row))
}

/// An issue stands still until its author acts. What an author or a late start has stopped is no error to fix.
fn stopped(context: &Context, row: &IssueRow, zone: &TimeZone) -> Outcome {
    let state = row.state.word();
    let reason = row
        .reason
        .as_ref()
        .map_or_else(|| state.to_owned(), |why| why.in_zone(zone));
    let asked_for = matches!(
        row.reason,
        Some(Reason::PausedByUser { .. } | Reason::Late { .. } | Reason::LateSchedule { .. })
    );
    if asked_for {
        if !context.json() {
            let reason = reason.strip_prefix("paused ").unwrap_or(&reason);
            let text = format!(
                "{} is {state}: {reason}. `letterpress resume {}` continues it.",
                name(row),
                row.slug
            );
            stdio::eprintln(wrap(&text, "", 0));
        }
        return Ok(Answer::No);
    }
    let what = format!("{} is {state}: {reason}", name(row));
    let failed = match row.totals.failed {
        0 => "No mail has failed because of it.".to_owned(),
        failed => format!(
            "Those that failed, {}, are sent again by\n  letterpress retry {}",
            count(failed),
            row.slug
        ),
    };
    Err(Failure::no(what).help(format!(
        "Fix that, then continue with\n  letterpress resume {}\n{failed}",
        row.slug
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<String, Failure> {
        let mut list = crate::config::defaults().lists.remove(0);
        list.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let When::At(at) = time(text, &list, "2026-11-24T12:00:00Z".parse().unwrap())? else {
            panic!("{text} is now");
        };
        Ok(at.to_string())
    }

    #[test]
    fn times_are_rfc_3339_or_local_to_the_list() {
        assert_eq!(
            at("2026-11-30T07:00:00+01:00").unwrap(),
            "2026-11-30T06:00:00Z"
        );
        assert_eq!(at("2026-11-30 07:00").unwrap(), "2026-11-30T06:00:00Z");
        assert_eq!(at("2027-07-05T07:00").unwrap(), "2027-07-05T05:00:00Z");
        assert!(at("tomorow").is_err() && at("2026-11-24 12:59").is_err() && at("").is_err());
    }
}
