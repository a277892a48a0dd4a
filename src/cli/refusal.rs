//! What an operation refuses, as people read it: the one place where a [`Refusal`] becomes sentences.

use jiff::Zoned;

use crate::format::{count, nearest};
use crate::model::sending::IssueState;
use crate::operate::{Action, Error, IssueName, Refusal};

use super::failure::Failure;

/// Where somebody sees how far each issue is.
const SEE_ISSUES: &str = "Run `letterpress deliveries` to see where each issue stands.";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Store(error) => error.into(),
            Error::Dkim(error) => error.into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoRelay => Failure::new("no relay is set")
                .help("Add a section such as [relay.main] with its host."),
            Refusal::NoPublicUrl => {
                Failure::new("web.public_url is not set, and every link in a mail begins with it")
                    .help("Set it to the URL at which readers reach the daemon.")
            }
            Refusal::LocalPublicUrl { url, relay } => Failure::new(format!(
                "web.public_url is {url}, which only this machine can open, but the relay {relay} is elsewhere"
            ))
            .help("Set it to the URL at which readers reach the daemon."),
            Refusal::NoDaemon { database } => {
                Failure::new("no daemon is running, so there is nothing to wait for")
                    .at(database.display().to_string())
                    .help("Start `letterpress serve`, or leave out --wait. Nothing was queued.")
            }
            Refusal::NoSuchList { key, known } => {
                let near = nearest(&key, known.iter().map(String::as_str));
                Failure::new(format!("there is no list {key}"))
                    .help(format!("{}The lists are: {}.", did_you_mean(near), known.join(", ")))
            }
            Refusal::NoSuchIssue {
                text,
                last,
                database,
            } => Failure::new(format!("no issue {text} was queued"))
                .at(database.display().to_string())
                .help(if last.is_empty() {
                    "No issue was queued yet. Queue one with `letterpress send FILE`.".to_owned()
                } else {
                    format!(
                        "The last ones are {}; `letterpress deliveries` shows all.",
                        last.join(", ")
                    )
                }),
            Refusal::InSeveralLists { text, lists: [one, other] } => {
                Failure::new(format!("{one} and {other} both have an issue {text}"))
                    .help("Add --list with the one you mean.")
            }
            Refusal::NumberAndSlug { text, slugs: [one, other] } => Failure::new(format!(
                "{text} is the number of one issue and the name of another: {one} and {other}"
            ))
            .help("Name the issue by its file."),
            Refusal::Gone { issue } => Failure::no(format!("{} is no longer there", name(&issue))),
            Refusal::TimePassed { at } => Failure::new(format!("{} has passed", local(&at)))
                .help("Choose a later time, or leave out --at to send now."),
            Refusal::NobodyActive { issue, list } => Failure::no(format!(
                "{list} has no active subscribers, so {} would reach nobody",
                name(&issue)
            ))
            .help(
                "Import subscribers with\n  letterpress subscribers import people.csv\nNothing was queued.",
            ),
            Refusal::AlreadyScheduled { issue, due_at } => Failure::no(format!(
                "{} is already scheduled for {}",
                name(&issue),
                local(&due_at)
            ))
            .help(SEE_ISSUES),
            Refusal::AlreadySent { issue, state, at } => {
                let at = local(&at);
                let fate = match state {
                    IssueState::Done => format!("was sent on {at}"),
                    IssueState::Sending => format!("has been sending since {at}"),
                    IssueState::Held => {
                        "is held and may have gone out already".to_owned()
                    }
                    other => format!("is {} and was started on {at}", other.word()),
                };
                Failure::no(format!("{} {fate}: nobody gets it twice", name(&issue))).help(
                    match state {
                        IssueState::Held => "Run `letterpress deliveries` to see why. Resume or cancel that one first.",
                        _ => "Run `letterpress deliveries` to see it. A new issue needs a new number and file name.",
                    },
                )
            }
            Refusal::QueuedMeanwhile { issue } => Failure::no(format!(
                "another process queued {} at the same time",
                name(&issue)
            ))
            .help(SEE_ISSUES),
            Refusal::NeverRendered { issue, file } => Failure::no(format!(
                "{} was never rendered, so there is nothing to send",
                name(&issue)
            ))
            .at(file.display().to_string())
            .help(format!(
                "Fix the file, then\n  letterpress send {}",
                file.display()
            )),
            Refusal::NotPossible {
                issue,
                state,
                action,
            } => Failure::no(format!("{} is {}", name(&issue), why_not(state, action)))
                .help(SEE_ISSUES),
            Refusal::Pruned { issue, at } => Failure::no(format!(
                "{} was pruned on {}: nobody knows any more who got it",
                name(&issue),
                at.strftime("%Y-%m-%d")
            ))
            .help("Its totals are kept; `letterpress deliveries` shows them."),
            Refusal::Interrupted {
                issue,
                state,
                queued,
            } => Failure::no(format!(
                "{} is now {}: only {} were queued again",
                name(&issue),
                state.word(),
                count(queued)
            ))
            .help(SEE_ISSUES),
            Refusal::NoSuchSubscriber { email, list } => Failure::no(match list {
                Some(list) => format!("{email} is not on {list}"),
                None => format!("there is no subscriber {email}"),
            })
            .help("Run `letterpress subscribers list` to see all."),
            Refusal::HasLeft {
                email,
                list,
                state,
                since,
            } => Failure::no(format!(
                "{email} is not active on {list}: {} since {}",
                state.word(),
                since.strftime("%Y-%m-%d")
            ))
            .help("They can only come back themselves: ask them to sign up again and confirm."),
            Refusal::NoSuchRate { name, relays } => {
                let near = nearest(&name, relays.iter().map(String::as_str));
                Failure::new(format!("{name} is neither a relay nor a domain")).help(format!(
                    "{}The relays are: {}. A domain has a dot, such as gmail.com.",
                    did_you_mean(near),
                    relays.join(", ")
                ))
            }
            Refusal::NoSuchDkimPair {
                stem,
                folder,
                known,
            } => Failure::new(format!("there is no key pair {stem}"))
                .at(folder.display().to_string())
                .help(if known.is_empty() {
                    "There are none; make one with `letterpress dkim new`.".to_owned()
                } else {
                    let pair = |(stem, domains): (&String, &Vec<String>)| {
                        format!("{stem} ({})", domains.join(", "))
                    };
                    let known: Vec<String> = known.iter().map(pair).collect();
                    format!("There are: {}.", known.join(", "))
                }),
            Refusal::NoDkimPairs {
                domain,
                folder,
                known,
            } => Failure::no(format!("there are no DKIM keys of {domain}"))
                .at(folder.display().to_string())
                .help(if known.is_empty() {
                    "There are none of any domain.".to_owned()
                } else {
                    format!("There are keys of {}.", known.join(", "))
                }),
            Refusal::SeveralDkimPairs { stem, domains } => {
                Failure::new(format!("several domains have a key pair {stem}")).help(format!(
                    "Add --domain with one of: {}.",
                    domains.join(", ")
                ))
            }
        }
    }
}

/// How people call an issue: `No. 22`, or its slug if it has no number.
pub(super) fn name(issue: &IssueName) -> String {
    issue
        .number
        .map_or_else(|| issue.slug.clone(), |number| format!("No. {number}"))
}

/// The time in its own zone, such as `2026-11-30 07:00 CET`.
fn local(at: &Zoned) -> String {
    at.strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// A suggestion with a space behind it, or nothing.
pub(super) fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("Did you mean {near}? "))
}

/// Why an issue in this state can't be acted upon, after “… is”.
fn why_not(state: IssueState, action: Action) -> String {
    let (done, reached) = match action {
        Action::Pause => ("paused", Some(IssueState::Paused)),
        Action::Resume => ("resumed", None),
        Action::Cancel => ("cancelled", Some(IssueState::Cancelled)),
        Action::Retry => ("retried", None),
    };
    match (state, action) {
        _ if reached == Some(state) => format!("already {done}"),
        (IssueState::Scheduled | IssueState::Sending, Action::Resume) => {
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
    fn what_is_so_already_is_called_so() {
        assert_eq!(why_not(IssueState::Paused, Action::Pause), "already paused");
        assert_eq!(
            why_not(IssueState::Cancelled, Action::Cancel),
            "already cancelled"
        );
        assert!(why_not(IssueState::Sending, Action::Resume).contains("nothing to resume"));
        assert_eq!(
            why_not(IssueState::Done, Action::Cancel),
            "done, so it can't be cancelled"
        );
    }
}
