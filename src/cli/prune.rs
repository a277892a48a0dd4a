//! `prune`: drops the rows of recipients of issues that ended long ago.

use jiff::SignedDuration;
use serde_json::json;

use crate::config;
use crate::format::{count, people};
use crate::operate::prune::{self, Prunable};

use super::progress::Progress;
use super::{Answer, Context, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress prune --older-than 400d --dry-run")]
pub(super) struct Args {
    /// Only issues that ended longer ago than this, such as 400d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: SignedDuration,
    /// Show what would be dropped, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let length = config::duration(text)?;
    SignedDuration::try_from(length).map_err(|e| e.to_string())
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let list = match context.common.list {
        Some(_) => Some(context.list(&settings)?.key.as_str()),
        None => None,
    };
    let store = context.store(&settings).await?;
    let now = context.clock.now();
    let found = prune::find(&store, list, args.older_than, now).await?;
    if found.issues.is_empty() {
        return tell(context, "No issue ended that long ago.", &found, 0);
    }
    let what = format!(
        "{} of {} issue{}: {}",
        people(found.people),
        count(found.issues.len() as u64),
        if found.issues.len() == 1 { "" } else { "s" },
        slugs(&found).join(", ")
    );
    if args.dry_run {
        return tell(
            context,
            &format!("Would drop the rows of {what}."),
            &found,
            0,
        );
    }
    let question = format!(
        "Drop the rows of {what}? The totals stay, but nobody knows any more who got them, and they can't be retried."
    );
    if !context.agree(&question)? {
        return Ok(Answer::No);
    }
    let mut progress = Progress::begin();
    let dropped = prune::prune(&store, &found, now, |n| progress.show(n, found.people)).await;
    progress.end();
    let dropped = dropped?;
    tell(
        context,
        &format!("Dropped the rows of {what}."),
        &found,
        dropped,
    )
}

fn slugs(found: &Prunable) -> Vec<String> {
    found.issues.iter().map(|row| row.slug.clone()).collect()
}

fn tell(context: &Context, words: &str, found: &Prunable, dropped: u64) -> Outcome {
    context.done(
        words,
        &json!({ "issues": slugs(found), "people": found.people, "dropped": dropped }),
    )
}
