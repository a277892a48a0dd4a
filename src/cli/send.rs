//! `send`: queues an issue, for now or for later; `--wait` follows it to its end.
//!
//! Everything that can refuse a send is asked before anything is written: relay and public address, the time,
//! the file, its findings, the daemon where it is waited for, and the author's word.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::config::{self, Settings};
use crate::model::sending::IssueState;
use crate::model::{IssueId, List, ListId};
use crate::publish::{self, Order, Proof};
use crate::store::issues::{IssueRow, QueuedBy, Queueing};
use crate::store::{DaemonLock, Store};

use super::totals::{IssueSummary, in_local_time, local_time, name};
use super::{Answer, Context, Failure, Outcome, follow, issue_file, ledger};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress send issues/022.md --wait")]
pub(super) struct Args {
    /// The issue's Markdown file
    file: PathBuf,
    /// When: RFC 3339, or `2026-11-30 07:00` in the list's zone
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Follow it to its end
    #[arg(long)]
    wait: bool,
    /// Send in spite of the errors that `check` finds
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    can_send(&settings)?;
    let manuscript = issue_file::read(&args.file)?;
    let list = issue_file::list(context, &settings, &manuscript)?;
    let now = context.clock.now();
    let due_at = match &args.at {
        Some(text) => time(text, list, now)?,
        None => now,
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
    if args.wait && DaemonLock::holder(&settings.database).is_none() {
        return Err(Failure::new(
            "no daemon runs that could send, so there is nothing to wait for",
        )
        .at(settings.database.display().to_string())
        .to_do("Start `letterpress serve`, or leave out --wait. Nothing was queued."));
    }
    let store = context.store(&settings).await?;
    let is_draft = proof.issue.meta.draft;
    let Some((id, replaced)) =
        queue(context, &store, list, proof, due_at, args.at.is_some()).await?
    else {
        return Ok(Answer::No);
    };
    // Who was asked has read it in the question.
    if is_draft && context.common.yes {
        eprintln!(
            "{} is marked as a draft, and goes out all the same.",
            args.file.display()
        );
    }
    if args.wait {
        let ended = tokio::select! {
            ended = follow::to_its_end(&store, id, &list.zone) => ended?,
            Ok(()) = tokio::signal::ctrl_c() => return Err(left(&store, id).await?),
        };
        return tell_end(context, &ended, &list.zone);
    }
    tell_queued(context, &store, list, id, replaced).await
}

/// Refuses where mails would lead nowhere.
pub(super) fn can_send(settings: &Settings) -> Result<(), Failure> {
    let place = || {
        settings
            .file
            .as_ref()
            .map_or_else(String::new, |file| file.display().to_string())
    };
    if settings.sending.relays.is_empty() {
        return Err(Failure::new("the settings name no relay")
            .at(place())
            .to_do("Add a section such as [relay.main] with its host."));
    }
    let Some(url) = &settings.public_url else {
        return Err(Failure::new(
            "web.public_url is not set, and every link in a mail begins with it",
        )
        .at(place())
        .to_do("Set it to the address under which readers reach the daemon."));
    };
    let far = settings
        .sending
        .relays
        .iter()
        .find(|relay| !is_here(&relay.host));
    if let (true, Some(relay)) = (config::is_loopback(url), far) {
        return Err(Failure::new(format!(
            "web.public_url is {url}, which only this machine can open, and the relay {} mails the world",
            relay.host
        ))
        .at(place())
        .to_do("Set public_url to the address under which readers reach the daemon."));
    }
    Ok(())
}

fn is_here(host: &str) -> bool {
    let bracketed = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    config::is_loopback(&format!("http://{bracketed}/"))
}

/// A time that somebody typed; one that has passed is refused.
fn time(text: &str, list: &List, now: Timestamp) -> Result<Timestamp, Failure> {
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
            Failure::new(format!("“{text}” is no time")).to_do(
                "Write it as 2026-11-30T07:00:00+01:00, or as 2026-11-30 07:00 in the list's zone.",
            )
        })?;
    if at < now {
        return Err(
            Failure::new(format!("{} has passed", local_time(at, &list.zone)))
                .to_do("Name a later time, or leave out --at to send now."),
        );
    }
    Ok(at)
}

/// Queues it with the author's word, and says whether it took the place of one that was scheduled; `None` where the
/// word was no.
async fn queue(
    context: &Context,
    store: &Store,
    list: &List,
    proof: Proof,
    due_at: Timestamp,
    later: bool,
) -> Result<Option<(IssueId, bool)>, Failure> {
    let now = context.clock.now();
    let ids = store
        .ensure_lists(std::slice::from_ref(&list.key), now)
        .await?;
    let list_id = ids[&list.key];
    let what = proof
        .issue
        .meta
        .number
        .map_or_else(|| proof.issue.slug.clone(), |n| format!("No. {n}"));
    let when = if later {
        format!("at {}", local_time(due_at, &list.zone))
    } else {
        "now".into()
    };
    let readers = store.readers_of(list_id).await?;
    if readers == 0 && !later {
        return Err(Failure::no(format!("nobody is active on {}, so {what} would be over unread", list.key))
            .to_do(
                "Bring people in with\n  letterpress subscribers import people.csv\nNothing was queued.",
            ));
    }
    let draft = if proof.issue.meta.draft {
        ", which is still a draft,"
    } else {
        ","
    };
    let scheduled = scheduled(store, list_id, &proof).await?;
    let replaces = scheduled.map_or_else(String::new, |due_at| {
        format!(
            " It takes the place of the one that is scheduled for {}.",
            local_time(due_at, &list.zone)
        )
    });
    let question = format!(
        "Send {what}, “{}”{draft} to {} on {} {when}?{replaces}",
        proof.issue.meta.title,
        crate::format::people(readers),
        list.key
    );
    if !context.agree(&question)? {
        return Ok(None);
    }
    let order = Order {
        list: list_id,
        queued_by: QueuedBy::Author,
        queued_at: now,
        // Never before it was queued, however long the answer took.
        due_at: if later { due_at } else { now },
        hold: None,
        replace: context.common.yes || scheduled.is_some(),
        firing: None,
    };
    let mut queueing = publish::queue(store, proof.clone(), order.clone()).await?;
    if let Queueing::StillScheduled { due_at } = queueing {
        let question = format!(
            "{what} is scheduled for {} already. Replace it?",
            local_time(due_at, &list.zone)
        );
        if !context.agree(&question)? {
            return Ok(None);
        }
        queueing = publish::queue(
            store,
            proof,
            Order {
                replace: true,
                ..order
            },
        )
        .await?;
    }
    match queueing {
        Queueing::Queued(id) => Ok(Some((id, false))),
        Queueing::Replaced(id) => Ok(Some((id, true))),
        Queueing::AlreadySent { state, when } => {
            let when = local_time(when, &list.zone);
            let fate = match state {
                IssueState::Done => format!("was sent on {when}"),
                IssueState::Sending => format!("is being sent since {when}"),
                other => format!("is {} and was begun on {when}", other.word()),
            };
            Err(Failure::no(format!("{what} {fate}: nobody gets it twice"))
                .to_do("`letterpress deliveries` shows it; a new issue needs a new number and file name."))
        }
        Queueing::StillScheduled { .. } | Queueing::AlreadyFired => Err(Failure::no(format!(
            "{what} was queued by somebody else meanwhile"
        ))),
    }
}

/// When the same issue is due, where it was queued for later already.
async fn scheduled(
    store: &Store,
    list: ListId,
    proof: &Proof,
) -> Result<Option<Timestamp>, Failure> {
    let mut found = store
        .find_issues(Some(list), &proof.issue.slug, &proof.file)
        .await?;
    if let Some(number) = proof.issue.meta.number {
        found.extend(
            store
                .find_issues(Some(list), &number.to_string(), &proof.file)
                .await?,
        );
    }
    let waits = |row: &&IssueRow| row.state == IssueState::Scheduled;
    Ok(found.iter().find(waits).map(|row| row.due_at))
}

async fn tell_queued(
    context: &Context,
    store: &Store,
    list: &List,
    id: IssueId,
    replaced: bool,
) -> Outcome {
    let Some(row) = store.issue(id).await? else {
        return Ok(Answer::Done);
    };
    let mut words = format!("{}, “{}”, is queued", name(&row), row.title);
    if row.due_at > context.clock.now() {
        words.push_str(&format!(" for {}", local_time(row.due_at, &list.zone)));
    }
    words.push('.');
    if replaced {
        words.push_str(" It takes the place of what was queued before.");
    }
    if DaemonLock::holder(store.path()).is_none() {
        words.push_str(" No daemon runs: it goes out when `letterpress serve` does.");
    }
    context.done(words, &IssueSummary::of(&row))
}

/// Said to somebody who no longer waits.
async fn left(store: &Store, id: IssueId) -> Result<Failure, Failure> {
    let Some(row) = store.issue(id).await? else {
        return Ok(Failure::interrupted("the wait was interrupted"));
    };
    let number = row
        .number
        .map_or_else(|| row.slug.clone(), |number| number.to_string());
    Ok(
        Failure::interrupted(format!("the wait for {} was interrupted", name(&row))).to_do(
            format!("It goes on; `letterpress cancel {number}` stops it."),
        ),
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
        let reason = row.reason.as_deref().map_or_else(
            || row.state.word().to_owned(),
            |why| in_local_time(why, zone),
        );
        return Err(Failure::no(format!("{} is {}: {reason}", name(row), row.state.word())).to_do(format!(
            "When that is mended, go on with\n  letterpress resume {}\nNobody has failed on account of it.",
            row.slug
        )));
    }
    Ok(follow::answer(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<String, Failure> {
        let mut list = config::defaults().lists.remove(0);
        list.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        time(text, &list, "2026-11-24T12:00:00Z".parse().unwrap()).map(|t| t.to_string())
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

    #[test]
    fn nothing_is_sent_whose_links_lead_nowhere() {
        let can = |public_url: &str, hosts: &[&str]| {
            let mut text = format!("[web]\n{public_url}\n");
            for (i, host) in hosts.iter().enumerate() {
                text.push_str(&format!("[relay.r{i}]\nhost = \"{host}\"\n"));
            }
            can_send(&config::of_text(&text)).is_ok()
        };
        let (here, there) = (
            "public_url = \"http://127.0.0.1:8080\"",
            "public_url = \"https://letters.example.org\"",
        );
        assert!(!can(there, &[]), "without a relay");
        assert!(!can("", &["smtp.example.org"]), "without public_url");
        assert!(
            !can(here, &["127.0.0.1", "smtp.example.org"]),
            "links to this machine alone"
        );
        assert!(can(here, &["127.0.0.1", "::1"]));
        assert!(can(there, &["smtp.example.org"]));
    }
}
