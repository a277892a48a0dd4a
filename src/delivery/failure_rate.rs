//! Pauses an issue where too large a share of its answers are failures.
//!
//! Permanent and temporary failures have limits of their own, for all answers and for each provider's. About the last
//! thousand answers count, from a hundred on; after a pause counting begins again. Failures in a row are left to
//! [`super::refusal_streak`].

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::IssueId;
use crate::model::delivery::Event;
use crate::model::reply::{Diagnostic, EnhancedCode};
use crate::model::waiting::Reason;
use crate::pace::PauseAbove;

/// Fewer answers than this say nothing.
const LEAST: u32 = 100;
/// At this number of answers, those counted so far count half.
const HALVE_AT: u32 = 1000;
/// The most providers of an issue that are counted separately.
const PROVIDERS_MAX: usize = 2_000;

/// Counts the answers of every issue.
#[derive(Debug)]
pub(super) struct FailureRateBreaker {
    above: PauseAbove,
    issues: Mutex<HashMap<IssueId, Issue>>,
}

#[derive(Debug, Default)]
struct Issue {
    all: Counts,
    providers: HashMap<String, Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    answers: u32,
    failed: Failures,
    deferred: Failures,
}

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    /// By reply code and enhanced code: how many, and the words of the last.
    replies: HashMap<(Option<u16>, Option<EnhancedCode>), (u32, String)>,
}

impl Failures {
    fn add(&mut self, reply: &Diagnostic) {
        self.count += 1;
        let codes = (reply.code, reply.enhanced);
        let (count, words) = self.replies.entry(codes).or_default();
        *count += 1;
        words.clone_from(&reply.text);
    }

    fn halve(&mut self) {
        self.count /= 2;
        self.replies.retain(|_, (count, _)| {
            *count /= 2;
            *count > 0
        });
    }

    /// The words of the reply that came most often.
    fn words(&self) -> &str {
        self.replies
            .values()
            .max_by_key(|(count, _)| *count)
            .map_or("", |(_, words)| words)
    }
}

impl Counts {
    fn add(&mut self, event: Event, reply: &Diagnostic) {
        self.answers += 1;
        match event {
            Event::PermFail => self.failed.add(reply),
            Event::TempFail => self.deferred.add(reply),
            _ => {}
        }
        if self.answers >= HALVE_AT {
            self.answers /= 2;
            self.failed.halve();
            self.deferred.halve();
        }
    }

    /// Why the issue must pause. `provider`: whose replies these are, if not all.
    fn verdict(&self, above: PauseAbove, provider: Option<&str>) -> Option<Reason> {
        if self.answers < LEAST {
            return None;
        }
        let passes = |failures: &Failures, share: f64| {
            share > 0.0 && f64::from(failures.count) > share * f64::from(self.answers)
        };
        let (failures, temporary) = if passes(&self.failed, above.failed) {
            (&self.failed, false)
        } else if passes(&self.deferred, above.deferred) {
            (&self.deferred, true)
        } else {
            return None;
        };
        Some(Reason::TooManyFailures {
            replies: self.answers.into(),
            failures: failures.count.into(),
            temporary,
            provider: provider.map(str::to_owned),
            reply: failures.words().to_owned(),
        })
    }
}

impl FailureRateBreaker {
    pub(super) fn new(above: PauseAbove) -> FailureRateBreaker {
        FailureRateBreaker {
            above,
            issues: Mutex::default(),
        }
    }

    /// Counts an answer; gives the reason where the issue must pause for it.
    pub(super) fn count(
        &self,
        id: IssueId,
        provider: &str,
        event: Event,
        reply: &Diagnostic,
    ) -> Option<Reason> {
        let is_answer = matches!(event, Event::Accepted | Event::TempFail | Event::PermFail);
        if self.above == PauseAbove::NEVER || !is_answer || reply.code.is_none() {
            return None;
        }
        let mut issues = self.issues.lock().unwrap_or_else(PoisonError::into_inner);
        let issue = issues.entry(id).or_default();
        issue.all.add(event, reply);
        let mut reason = issue.all.verdict(self.above, None);
        let is_known = issue.providers.contains_key(provider);
        if !is_known && issue.providers.len() < PROVIDERS_MAX {
            issue
                .providers
                .insert(provider.to_owned(), Counts::default());
        }
        if let Some(counts) = issue.providers.get_mut(provider) {
            counts.add(event, reply);
            reason = reason.or_else(|| counts.verdict(self.above, Some(provider)));
        }
        if reason.is_some() {
            issues.remove(&id);
        }
        reason
    }

    /// Counts anew from now on: the issue begins, or goes on after a pause.
    pub(super) fn forget(&self, id: IssueId) {
        self.issues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::smtp::{Reply, ReplyLine};

    const ISSUE: IssueId = IssueId(1);

    fn reply(text: &str) -> Diagnostic {
        let line = ReplyLine::read(text.as_bytes()).unwrap();
        Reply::new(line.code, vec![line.text]).diagnostic()
    }

    fn breaker() -> FailureRateBreaker {
        FailureRateBreaker::new(PauseAbove {
            failed: 0.3,
            deferred: 0.7,
        })
    }

    /// After how many answers it pauses, and why, where so many of ten fail.
    fn run(
        breaker: &FailureRateBreaker,
        failing: u32,
        event: Event,
        text: &str,
    ) -> Option<(u32, String)> {
        (1..2000).find_map(|n| {
            let fails = n % 10 < failing;
            let (event, text) = if fails {
                (event, text)
            } else {
                (Event::Accepted, "250 ok")
            };
            breaker
                .count(ISSUE, "p.example", event, &reply(text))
                .map(|reason| (n, reason.to_string()))
        })
    }

    #[test]
    fn from_a_hundred_on_a_share_of_refusals_pauses_with_the_servers_words() {
        let (after, why) = run(&breaker(), 4, Event::PermFail, "550 5.7.1 blocked").unwrap();
        assert_eq!(after, 100);
        assert!(
            why.contains("40 (40 %) are permanent failures") && why.contains("“550 5.7.1 blocked”"),
            "{why}"
        );
        assert_eq!(
            run(&breaker(), 2, Event::PermFail, "550 5.7.1 blocked"),
            None
        );
        assert_eq!(run(&breaker(), 6, Event::TempFail, "451 later"), None);
        let (_, why) = run(&breaker(), 8, Event::TempFail, "451 later").unwrap();
        assert!(why.contains("temporary failures"), "{why}");
    }

    #[test]
    fn one_provider_is_enough_and_is_named() {
        let breaker = breaker();
        let mut why = None;
        for _ in 0..150 {
            for _ in 0..5 {
                assert_eq!(
                    breaker.count(ISSUE, "good.example", Event::Accepted, &reply("250 ok")),
                    None
                );
            }
            why = why.or_else(|| {
                breaker.count(
                    ISSUE,
                    "bad.example",
                    Event::PermFail,
                    &reply("550 5.1.1 <x> gone"),
                )
            });
        }
        assert!(
            why.unwrap()
                .to_string()
                .contains("of the last 100 replies for bad.example")
        );
    }

    #[test]
    fn the_commonest_words_are_told() {
        let breaker = breaker();
        let texts = [
            "550 5.1.1 <a> unknown",
            "550 5.1.1 <b> unknown",
            "554 5.7.1 policy",
        ];
        let reason =
            (0..100).find_map(|n| breaker.count(ISSUE, "p", Event::PermFail, &reply(texts[n % 3])));
        assert!(reason.unwrap().to_string().contains("unknown"));
    }

    #[test]
    fn after_a_pause_counting_begins_anew() {
        let breaker = breaker();
        assert_eq!(run(&breaker, 10, Event::PermFail, "550 no").unwrap().0, 100);
        assert_eq!(run(&breaker, 10, Event::PermFail, "550 no").unwrap().0, 100);
        for _ in 0..99 {
            assert_eq!(
                breaker.count(ISSUE, "p", Event::PermFail, &reply("550 no")),
                None
            );
        }
        breaker.forget(ISSUE);
        assert_eq!(
            breaker.count(ISSUE, "p", Event::PermFail, &reply("550 no")),
            None
        );
    }

    #[test]
    fn what_fails_late_is_noticed_as_well() {
        let breaker = breaker();
        for _ in 0..100_000 {
            assert_eq!(
                breaker.count(ISSUE, "p", Event::Accepted, &reply("250 ok")),
                None
            );
        }
        let after = (1..)
            .find(|_| {
                breaker
                    .count(ISSUE, "p", Event::PermFail, &reply("550 no"))
                    .is_some()
            })
            .unwrap();
        assert!(after < 1000, "{after}");
    }

    proptest! {
        #[test]
        fn below_the_share_nothing_pauses(failing in proptest::collection::vec(any::<bool>(), 0..3000)) {
            let breaker = FailureRateBreaker::new(PauseAbove { failed: 0.0, deferred: 1.0 });
            for fails in failing {
                let (event, text) = if fails { (Event::PermFail, "550 no") } else { (Event::Accepted, "250 ok") };
                prop_assert_eq!(breaker.count(ISSUE, "p", event, &reply(text)), None);
            }
        }
    }
}
