//! Permanent failures that are about the sender and not the recipient: a number of them in a row with the same code pause
//! the issue and fail nobody.
//!
//! It stands where outcomes are written one after the other, so “in a row” has a meaning, and the pause and the return of
//! the mails that were hit are one transaction. A mail that failed temporarily until it was given up counts for nothing:
//! a provider that is away for days fails its own recipients and pauses no issue.

use std::collections::{HashMap, HashSet};

use crate::model::IssueId;
use crate::model::delivery::{Event, MailKey, State};
use crate::model::reply::EnhancedCode;
use crate::model::waiting::Reason;
use crate::store::commit_batch::{Batch, Outcome};

/// How many equal failures in a row, with no mail accepted in between, pause an issue.
const IN_A_ROW: usize = 20;

/// The code and, where there is one, the enhanced code of a refusal.
type Mark = (u16, Option<EnhancedCode>);

/// Watches the outcomes of every issue.
#[derive(Default)]
pub(super) struct RefusalStreakBreaker {
    streaks: HashMap<IssueId, Streak>,
    /// Mails that were in flight when their issue paused: the same failure does not fail them either.
    spared: HashMap<MailKey, Mark>,
}

struct Streak {
    mark: Mark,
    hit: Vec<Outcome>,
}

impl RefusalStreakBreaker {
    /// Adds an outcome to the batch that is about to be written. Where it completes a streak, the pause and the return of
    /// the other mails are added as well. `in_flight`: the mails that were claimed and are not answered yet.
    pub(super) fn record(
        &mut self,
        mut outcome: Outcome,
        batch: &mut Batch,
        in_flight: &HashSet<MailKey>,
    ) {
        let spared = self.spared.remove(&outcome.key);
        let MailKey::Issue(issue, _) = outcome.key else {
            batch.outcomes.push(outcome);
            return;
        };
        match outcome.event {
            Event::Accepted => {
                self.streaks.remove(&issue);
            }
            Event::PermFail => {
                let mark = mark(&outcome);
                if spared.is_some_and(|spared| Some(spared) == mark) {
                    outcome.event = Event::Requeued;
                } else if let Some(mark) =
                    mark.filter(|mark| is_for_good(*mark) && !is_about_address(*mark))
                {
                    self.count(issue, mark, &outcome);
                }
            }
            _ => {}
        }
        batch.outcomes.push(outcome);
        if self
            .streaks
            .get(&issue)
            .is_some_and(|streak| streak.hit.len() >= IN_A_ROW)
        {
            self.trip(issue, batch, in_flight);
        }
    }

    fn count(&mut self, issue: IssueId, mark: Mark, outcome: &Outcome) {
        let streak = self.streaks.entry(issue).or_insert_with(|| Streak {
            mark,
            hit: Vec::new(),
        });
        if streak.mark != mark {
            *streak = Streak {
                mark,
                hit: Vec::new(),
            };
        }
        streak.hit.push(outcome.clone());
    }

    fn trip(&mut self, issue: IssueId, batch: &mut Batch, in_flight: &HashSet<MailKey>) {
        let Some(streak) = self.streaks.remove(&issue) else {
            return;
        };
        let reply = streak
            .hit
            .last()
            .map(|outcome| outcome.reply.text.clone())
            .unwrap_or_default();
        for hit in streak.hit {
            // A mail of this same batch has not failed yet, and never will.
            match batch
                .outcomes
                .iter_mut()
                .find(|o| o.key == hit.key && o.attempt == hit.attempt)
            {
                Some(same) => same.event = Event::Requeued,
                None => batch.outcomes.push(Outcome {
                    from: State::Failed,
                    event: Event::Requeued,
                    ..hit
                }),
            }
        }
        let mark = streak.mark;
        let flying = in_flight
            .iter()
            .filter(|key| matches!(key, MailKey::Issue(i, _) if *i == issue));
        self.spared.extend(flying.map(|key| (*key, mark)));
        batch.pauses.push((
            issue,
            Reason::RefusedInARow {
                people: IN_A_ROW as u64,
                reply,
            },
        ));
    }
}

/// Whether the server's word was final, and not our patience at its end.
fn is_for_good(mark: Mark) -> bool {
    mark.0 / 100 == 5
}

/// Whether a rejection is about the person's address alone (RFC 3463, section 3.2: X.1.X), so that many in a row mean
/// nothing but a list of old addresses.
fn is_about_address(mark: Mark) -> bool {
    matches!(mark.1, Some(EnhancedCode(5, 1, _)))
}

/// The codes of an outcome's reply; `None` where no server replied.
fn mark(outcome: &Outcome) -> Option<Mark> {
    Some((outcome.reply.code?, outcome.reply.enhanced))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SubscriberId;
    use crate::model::reply::Diagnostic;
    use crate::smtp::{Reply, ReplyLine};

    const ISSUE: IssueId = IssueId(1);

    fn reply(text: &str) -> Diagnostic {
        let line = ReplyLine::read(text.as_bytes()).unwrap();
        Reply::new(line.code, vec![line.text]).diagnostic()
    }

    fn outcome(person: i64, event: Event, text: &str) -> Outcome {
        Outcome {
            key: MailKey::Issue(ISSUE, SubscriberId(person)),
            from: State::Sending,
            attempt: 1,
            event,
            next_at: None,
            reply: reply(text),
            relay: "main".into(),
        }
    }

    /// Writes outcomes a batch each; gives all batches.
    fn run(breaker: &mut RefusalStreakBreaker, outcomes: Vec<Outcome>) -> Vec<Batch> {
        outcomes
            .into_iter()
            .map(|outcome| {
                let mut batch = Batch::default();
                breaker.record(outcome, &mut batch, &HashSet::new());
                batch
            })
            .collect()
    }

    fn refusals(people: std::ops::Range<i64>, text: &str) -> Vec<Outcome> {
        people
            .map(|person| outcome(person, Event::PermFail, text))
            .collect()
    }

    #[test]
    fn twenty_alike_pause_the_issue_and_all_return() {
        let mut breaker = RefusalStreakBreaker::default();
        let batches = run(
            &mut breaker,
            refusals(0..20, "550 5.7.1 blocked by our policy"),
        );
        assert!(batches[..19].iter().all(|g| g.pauses.is_empty()));
        let last = &batches[19];
        assert!(
            last.pauses[0]
                .1
                .to_string()
                .contains("blocked by our policy")
        );
        assert_eq!(last.outcomes.len(), 20);
        assert!(last.outcomes.iter().all(|o| o.event == Event::Requeued));
        assert_eq!(
            last.outcomes
                .iter()
                .filter(|o| o.from == State::Failed)
                .count(),
            19
        );
    }

    #[test]
    fn one_batch_of_all_fails_nobody_either() {
        let mut breaker = RefusalStreakBreaker::default();
        let mut batch = Batch::default();
        for refused in refusals(0..20, "550 no") {
            breaker.record(refused, &mut batch, &HashSet::new());
        }
        assert_eq!(batch.outcomes.len(), 20);
        assert!(
            batch
                .outcomes
                .iter()
                .all(|o| o.event == Event::Requeued && o.from == State::Sending)
        );
    }

    #[test]
    fn another_code_or_somebody_accepted_ends_the_row() {
        let mut breaker = RefusalStreakBreaker::default();
        let mut all = refusals(0..19, "550 5.7.1 no");
        all.push(outcome(50, Event::Accepted, "250 ok"));
        all.extend(refusals(60..79, "550 5.7.1 no"));
        all.extend(refusals(80..99, "554 5.7.1 no"));
        all.extend(refusals(100..119, "550 5.2.1 no"));
        assert!(run(&mut breaker, all).iter().all(|g| g.pauses.is_empty()));
    }

    #[test]
    fn old_addresses_are_no_sign() {
        let mut breaker = RefusalStreakBreaker::default();
        assert!(
            run(&mut breaker, refusals(0..60, "550 5.1.1 no such person"))
                .iter()
                .all(|g| g.pauses.is_empty())
        );
    }

    #[test]
    fn who_was_refused_for_now_until_given_up_is_no_sign() {
        let mut breaker = RefusalStreakBreaker::default();
        let batches = run(&mut breaker, refusals(0..60, "451 4.7.1 try later"));
        assert!(
            batches
                .iter()
                .all(|g| g.pauses.is_empty() && g.outcomes[0].event == Event::PermFail)
        );
    }

    #[test]
    fn those_in_flight_are_spared_the_same_answer_once() {
        let mut breaker = RefusalStreakBreaker::default();
        run(&mut breaker, refusals(0..19, "550 5.7.1 no"));
        let flying = HashSet::from([
            MailKey::Issue(ISSUE, SubscriberId(70)),
            MailKey::Issue(ISSUE, SubscriberId(71)),
        ]);
        let mut batch = Batch::default();
        breaker.record(
            outcome(19, Event::PermFail, "550 5.7.1 no"),
            &mut batch,
            &flying,
        );
        assert_eq!(batch.pauses.len(), 1);
        let after = run(
            &mut breaker,
            vec![
                outcome(70, Event::PermFail, "550 5.7.1 no"),
                outcome(71, Event::PermFail, "550 5.1.1 no such person"),
                outcome(70, Event::PermFail, "550 5.7.1 no"),
            ],
        );
        let events: Vec<Event> = after.iter().map(|g| g.outcomes[0].event).collect();
        assert_eq!(events, [Event::Requeued, Event::PermFail, Event::PermFail]);
    }
}
