//! `restore`: puts a backup in the place of the database, and says what that means.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use crate::format::reason::local_time;
use crate::format::{count, people};
use crate::operate::restore::Restore;
use crate::store::restore::Restored;

use super::layout::wrap;
use super::{Answer, Context, Failure, Outcome};

/// How many of those who left are named.
const NAMED: usize = 10;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress restore letterpress-copy.db")]
pub(super) struct Args {
    /// A file that `letterpress backup` made
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let database = settings.database.display().to_string();
    let plan = Restore::plan(&settings, &args.file).await?;
    let zone = settings
        .lists
        .first()
        .map_or(jiff::tz::TimeZone::UTC, |list| list.zone.clone());
    let local = |at: Timestamp| local_time(at, &zone);
    let age = plan
        .examined
        .as_of
        .map_or_else(String::new, |at| format!(" of {}", local(at)));
    let question = format!(
        "Put {}{age} in the place of {database}? The present one is kept beside it.",
        args.file.display()
    );
    if !context.agree(&question)? {
        return Ok(Answer::No);
    }
    // Interrupted, it would leave a file behind; it takes no longer than a copy does.
    let done = plan.run(context.clock.now()).await?;
    if context.json() {
        return report(context, &args, &database, &done);
    }
    let also = [
        Some(settings.sending.dkim.display().to_string()),
        settings
            .lists
            .first()
            .map(|list| list.issues.display().to_string()),
    ];
    let also: Vec<String> = also.into_iter().flatten().collect();
    for line in words(&done, &args.file.display().to_string(), &database, &local) {
        context.print(wrap(&line, "", 0))?;
    }
    context.print(wrap(
        &format!(
            "The choice of DKIM keys is that of the backup. Put back {} as well, if they were lost.",
            also.join(" and ")
        ),
        "",
        0,
    ))?;
    Ok(Answer::Done)
}

fn report(
    context: &Context,
    args: &Args,
    database: &str,
    done: &Restored,
) -> Result<Answer, Failure> {
    let present = match (&done.carried, &done.unreadable) {
        (Some(_), None) => "read",
        (Some(_), Some(_)) => "read in part",
        (None, Some(_)) => "unreadable",
        (None, None) => "none",
    };
    let carried = done.carried.clone().unwrap_or_default();
    let issues: Vec<_> = carried
        .issues
        .iter()
        .map(|issue| json!({ "issue": issue.slug, "people": issue.people }))
        .collect();
    context.done(
        "",
        &json!({
            "database": database, "from": args.file, "kept": done.kept,
            "as_of": done.restoration.as_of.map(|at| at.to_string()),
            "held": done.restoration.held, "schedules": done.restoration.schedules,
            "present": present, "why": done.unreadable,
            "left": carried.left, "left_emails": carried.left_emails, "suppressed": carried.suppressed,
            "sent_since": issues,
        }),
    )
}

/// What was done, a paragraph for each fact.
fn words(
    done: &Restored,
    from: &str,
    database: &str,
    local: &dyn Fn(Timestamp) -> String,
) -> Vec<String> {
    let mut said = vec![match &done.kept {
        Some(kept) => format!(
            "{from} is now {database}. The database that was there is kept as {}.",
            kept.display()
        ),
        None => format!("{from} is now {database}. There was none before."),
    }];
    let restoration = &done.restoration;
    if !restoration.held.is_empty() {
        said.push(format!(
            "Held until you run `letterpress resume` or `letterpress cancel`: {}.",
            restoration.held.join(", ")
        ));
    }
    if !restoration.schedules.is_empty() {
        said.push(format!(
            "The next scheduled issue of {} is held as well.",
            restoration.schedules.join(", ")
        ));
    }
    let since = restoration.as_of.map_or_else(
        || "since the backup".to_owned(),
        |at| format!("since {}", local(at)),
    );
    match &done.carried {
        Some(carried) => {
            if carried.left > 0 {
                let mut named = carried.left_emails.clone();
                named.truncate(NAMED);
                let more = if carried.left_emails.len() > NAMED {
                    ", …"
                } else {
                    ""
                };
                said.push(format!(
                    "{} had left {since}, and stay away: {}{more}.",
                    people(carried.left),
                    named.join(", ")
                ));
            }
            if carried.suppressed > 0 {
                said.push(format!(
                    "{} had been suppressed {since}, and still are.",
                    count(carried.suppressed)
                ));
            }
            if let Some(why) = &done.unreadable {
                said.push(format!(
                    "Part of the database that was there can't be read ({why}): `letterpress resume` may send an issue twice, but for those named here."
                ));
            }
            for issue in &carried.issues {
                said.push(format!(
                    "{}: {} have it or may have it, and do not get it again.",
                    issue.slug,
                    people(issue.people)
                ));
            }
        }
        None => {
            let why = match &done.unreadable {
                Some(why) => format!("The database that was there can't be read ({why}), so"),
                None => "There was no database, so".to_owned(),
            };
            said.push(format!(
                "{why} nobody knows what happened {since}: people who unsubscribed are subscribed again, and `letterpress resume` may send an issue twice."
            ));
        }
    }
    said
}
