//! `rehearse`: the whole send into a sink inside, on a copy of the database; nobody is mailed.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::app::{self, rehearsal::Findings, rehearsal::Rehearsal};
use crate::model::delivery::State;
use crate::model::sending::IssueState;
use crate::store::issues::{IssueRow, NewIssue, QueuedBy};
use crate::words::count;

use super::progress::time;
use super::totals::{Line, in_local_time};
use super::{Answer, Context, Failure, Outcome, follow, issue_file, ledger, render, send};

/// So many of those who would not get it are named.
const NAMED: usize = 20;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress rehearse issues/022.md")]
pub struct Args {
    /// The issue's Markdown file
    file: PathBuf,
    /// Rehearse in spite of the errors that `check` finds
    #[arg(long)]
    force: bool,
}

/// The totals, and what else a rehearsal shows.
#[derive(Serialize)]
struct Rehearsed<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    rate_per_s: f64,
    largest_bytes: u64,
    bytes: u64,
    estimated_s: f64,
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

pub async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    send::can_send(&settings)?;
    let manuscript = issue_file::read(&args.file)?;
    let list = issue_file::list(context, &settings, &manuscript)?;
    let proof = issue_file::compose(&settings, list, manuscript, &issue_file::media_base(&settings))?;
    if !args.force
        && let Some(no) = issue_file::stopped_by(context, &proof.findings)?
    {
        return Ok(no);
    }
    let store = context.store(&settings).await?;
    let now = context.clock.now();
    let ids = store.ensure_lists(std::slice::from_ref(&list.key), now).await?;
    let public_url = settings.public_url.as_deref().unwrap_or_default();
    let links = app::keys::links(&store, public_url, &context.clock).await?;
    let slug = proof.issue.slug.clone();
    let number = proof.issue.meta.number;
    let issue = NewIssue {
        list: ids[&list.key],
        slug: slug.clone(),
        number,
        title: proof.issue.meta.title.clone(),
        file: proof.file,
        rendered: proof.composed.rendered,
        pictures: proof.pictures.iter().cloned().collect(),
        queued_by: QueuedBy::Author,
        queued_at: now,
        due_at: now,
        hold: None,
        replace: false,
        firing: None,
    };
    let rehearsal =
        Rehearsal::begin(&store, &settings.sending, list.clone(), issue, &links, &context.clock).await?;
    let ended = follow::to_its_end(&rehearsal.store, rehearsal.issue, &list.zone).await;
    let estimated = match &ended {
        Ok(ended) => rehearsal.estimate(ended.row.totals.planned(), ended.took, context.clock.now()).await,
        Err(_) => Ok(Duration::ZERO),
    };
    let findings = rehearsal.end().await?;
    let (ended, estimated) = (ended?, estimated?);
    // As the author knows it, not as its copy is called.
    let row = IssueRow { slug, number, ..ended.row };
    tell(context, &row, ended.took, &findings, estimated)?;
    if let (IssueState::Paused, Some(reason)) = (row.state, &row.reason) {
        let reason = in_local_time(reason, &list.zone);
        return Err(Failure::no(format!("the real send would stop as this one did: {reason}")));
    }
    Ok(follow::answer(&row))
}

fn tell(
    context: &Context,
    row: &IssueRow,
    took: Duration,
    findings: &Findings,
    estimated: Duration,
) -> Result<Answer, Failure> {
    if context.json() {
        let errors = findings.errors.iter().map(|row| Fault {
            email: &row.email,
            state: row.state.word(),
            code: row.code,
            reply: row.reply.as_deref(),
        });
        context.print_json(&Rehearsed {
            line: Line::of(row),
            rate_per_s: rate(row.totals.sent, took),
            largest_bytes: findings.largest_bytes,
            bytes: findings.bytes,
            estimated_s: estimated.as_secs_f64(),
            errors: errors.collect(),
        })?;
        return Ok(Answer::Done);
    }
    // Where it stopped, that has one reason, and those who were not reached have none.
    let faults: Vec<_> = findings.errors.iter().filter(|fault| fault.state != State::Queued).collect();
    for fault in faults.iter().take(NAMED) {
        let why = fault.reply.as_deref().unwrap_or("no answer");
        eprintln!("{}  {}: {why}", fault.state.word(), fault.email);
    }
    if faults.len() > NAMED {
        eprintln!("and {} more", count((faults.len() - NAMED) as u64));
    }
    context.print(ledger::sum(&row.totals, Some(took), context.paint).trim_end())?;
    context.print(ledger::fact("largest", &render::kilobytes(findings.largest_bytes as usize)))?;
    context.print(ledger::fact("real send", &format!("about {}", time(estimated.as_secs().max(1)))))?;
    Ok(Answer::Done)
}

fn rate(sent: u64, took: Duration) -> f64 {
    let rate = sent as f64 / took.as_secs_f64().max(0.001);
    (rate * 10.0).round() / 10.0
}
