//! `rehearse`: the whole send into a built-in sink, on a copy of the database; nobody is mailed.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::app::rehearsal::{Estimate, Findings, Rehearsal};
use crate::format::count;
use crate::model::delivery::State;
use crate::model::sending::IssueState;
use crate::stdio;
use crate::store::issues::IssueRow;

use super::layout::wrap;
use super::progress::time;
use super::totals::IssueSummary;
use super::{Answer, Context, Failure, Outcome, follow, issue_file, ledger, render, serve};

/// How many of those who would not get it are named.
const NAMED: usize = 20;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress rehearse issues/022.md")]
pub(super) struct Args {
    /// The issue's Markdown file
    file: PathBuf,
    /// Rehearse in spite of errors that `check` finds
    #[arg(long)]
    force: bool,
}

/// The totals, and what else a rehearsal shows.
#[derive(Serialize)]
struct Rehearsed<'a> {
    #[serde(flatten)]
    line: IssueSummary<'a>,
    rate_per_s: f64,
    largest_bytes: u64,
    bytes: u64,
    estimated_s: f64,
    /// It may take longer: how quickly the relay takes mails was never measured.
    estimated_at_least: bool,
    /// Why some would not get it, one by one.
    errors: Vec<Fault<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    email: &'a str,
    state: &'static str,
    code: Option<u16>,
    reply: Option<&'a str>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let interrupted = serve::signals()?;
    tokio::select! {
        outcome = rehearse(args, context) => outcome,
        // What is dropped with the rehearsal is deleted: its copy.
        () = interrupted.cancelled() => Err(Failure::interrupted(
            "the rehearsal was interrupted; its copy of the database is deleted, and nobody was mailed",
        )),
    }
}

async fn rehearse(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    context.can_send(&settings)?;
    let manuscript = issue_file::read(&args.file)?;
    let list = issue_file::list(context, &settings, &manuscript)?;
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
    let store = context.new_store(&settings).await?;
    let (slug, number) = (proof.issue.slug.clone(), proof.issue.meta.number);
    let now = context.clock.now();
    let public_url = settings.public_url.as_deref().unwrap_or_default();
    let issue = |list| proof.into_new_issue(list, now);
    let mut rehearsal = Rehearsal::begin(
        &store,
        &settings.sending,
        public_url,
        list.clone(),
        issue,
        &context.clock,
    )
    .await?;
    let (copy, id) = (rehearsal.store.clone(), rehearsal.issue);
    let ended = tokio::select! {
        ended = follow::to_its_end(&copy, id, &list.zone) => ended?,
        error = rehearsal.breaks() => return Err(error.into()),
    };
    drop(copy);
    let planned = ended.row.totals.planned();
    let estimated = rehearsal
        .estimate(planned, ended.took, context.clock.now())
        .await?;
    let findings = rehearsal.end().await?;
    // As the author knows it, not as its copy is called.
    let row = IssueRow {
        slug,
        number,
        ..ended.row
    };
    tell(context, &row, ended.took, &findings, estimated)?;
    if let (IssueState::Paused, Some(reason)) = (row.state, &row.reason) {
        let reason = reason.in_zone(&list.zone);
        return Err(Failure::no(format!(
            "the real send would stop here too: {reason}"
        )));
    }
    Ok(follow::answer(&row))
}

fn tell(
    context: &Context,
    row: &IssueRow,
    took: Duration,
    findings: &Findings,
    estimated: Estimate,
) -> Result<Answer, Failure> {
    if context.json() {
        let errors = findings.errors.iter().map(|row| Fault {
            email: &row.email,
            state: row.state.word(),
            code: row.code,
            reply: row.reply.as_deref(),
        });
        context.print_json(&Rehearsed {
            line: IssueSummary::of(row),
            rate_per_s: rate(row.totals.sent, took),
            largest_bytes: findings.largest_bytes,
            bytes: findings.bytes,
            estimated_s: estimated.duration.as_secs_f64(),
            estimated_at_least: estimated.is_lower_bound,
            errors: errors.collect(),
        })?;
        return Ok(Answer::Done);
    }
    // Where it stopped, that has one reason, and those who were not reached have none.
    let faults: Vec<_> = findings
        .errors
        .iter()
        .filter(|fault| fault.state != State::Queued)
        .collect();
    for fault in faults.iter().take(NAMED) {
        let why = fault.reply.as_deref().unwrap_or("no answer");
        let text = format!("{}: {why}", fault.email);
        let state = format!("{}  ", fault.state.word());
        stdio::eprintln(wrap(&text, &state, state.len()));
    }
    if faults.len() > NAMED {
        stdio::eprintln(format_args!(
            "and {} more",
            count((faults.len() - NAMED) as u64)
        ));
    }
    context.print(ledger::sum(&row.totals, Some(took), context.paint).trim_end())?;
    context.print(ledger::fact(
        "largest",
        &render::kilobytes(findings.largest_bytes as usize),
    ))?;
    context.print(ledger::fact("real send", &told(estimated)))?;
    if estimated.is_lower_bound {
        let words = "How quickly the relay takes mails is not known until an issue was sent through it; \
                     the real send may take far longer.";
        stdio::eprintln(wrap(words, "  ", 2));
    }
    Ok(Answer::Done)
}

/// How long the real send takes, in words.
fn told(estimated: Estimate) -> String {
    let how = if estimated.is_lower_bound {
        "at least"
    } else {
        "about"
    };
    format!("{how} {}", time(estimated.duration))
}

fn rate(sent: u64, took: Duration) -> f64 {
    let rate = sent as f64 / took.as_secs_f64().max(0.001);
    (rate * 10.0).round() / 10.0
}
