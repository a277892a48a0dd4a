//! What became of one mail: the server's answer, or its silence, becomes an outcome and tells the relay's state.

use std::time::{Duration, Instant};

use super::Worker;
use crate::delivery::desk::Job;
use crate::delivery::ledger::Entry;
use crate::delivery::retry;
use crate::model::delivery::{Event, State};
use crate::model::reply::Diagnostic;
use crate::smtp::{
    Blame, Client, ConnectionLost, EnvelopeReply, LostAfterData, Reply, Step, Verdict,
};
use crate::store::commit_batch::Outcome;

/// What became of one mail, before it is written down.
pub(crate) struct Fate {
    pub event: Event,
    pub reply: Diagnostic,
    /// The server says that mails come too fast.
    pub complains_of_rate: bool,
    /// Why its issue must pause.
    pause: Option<String>,
}

impl Fate {
    /// Where no server replied.
    pub(crate) fn new(event: Event, text: impl Into<String>) -> Fate {
        Fate {
            event,
            reply: Diagnostic::without_reply(text),
            complains_of_rate: false,
            pause: None,
        }
    }

    pub(crate) fn of(event: Event, reply: &Reply) -> Fate {
        Fate {
            event,
            reply: reply.diagnostic(),
            complains_of_rate: reply.is_rate_complaint(),
            pause: None,
        }
    }

    /// It goes out again, and nobody is to blame.
    pub(crate) fn released(why: &str) -> Fate {
        Fate::new(Event::Requeued, why)
    }

    /// The same, and its issue must pause for that reason.
    pub(crate) fn pausing(self, why: String) -> Fate {
        Fate {
            pause: Some(why),
            ..self
        }
    }
}

impl Worker {
    /// The server's answer, sorted by whose matter it is.
    pub(crate) fn answered(
        &self,
        line: &mut Client,
        step: Step,
        answer: &Reply,
        verdict: Verdict,
    ) -> Fate {
        let fresh = line.served == 0;
        match verdict {
            Verdict::Positive => {
                line.served += 1;
                self.relay.works();
                Fate::of(Event::Accepted, answer)
            }
            Verdict::TempFail => {
                if answer.code == 421 && fresh {
                    self.relay.rest(&self.said(step, answer));
                }
                line.served += 1;
                Fate::of(Event::TempFail, answer)
            }
            Verdict::PermFail => {
                line.served += 1;
                self.relay.works();
                Fate::of(Event::PermFail, answer)
            }
            Verdict::ConfigFault => {
                let pause = Some(format!(
                    "{}: {}",
                    self.said(step, answer),
                    answer.remedy(step)
                ));
                Fate {
                    pause,
                    ..Fate::of(Event::Requeued, answer)
                }
            }
            Verdict::RelayUnavailable | Verdict::ProtocolError => {
                self.relay.rest(&self.said(step, answer));
                Fate::of(Event::Requeued, answer)
            }
        }
    }

    /// What became of an offer behind a mail tells whether the relay takes such offers at all; `true`: it does not.
    pub(crate) fn ahead_failed(&self, offered: &Result<EnvelopeReply, ConnectionLost>) -> bool {
        match offered {
            Ok(
                EnvelopeReply::Ready
                | EnvelopeReply::Rejected {
                    step: Step::Rcpt, ..
                },
            ) => {
                self.relay.pipelining.ahead_answered();
                false
            }
            _ => self.blames_ahead(),
        }
    }

    /// Something went wrong with one mail's commands behind another; whether that form is to blame.
    pub(crate) fn blames_ahead(&self) -> bool {
        let blame = self.relay.pipelining.ahead_failed();
        if blame == Blame::First {
            tracing::warn!(
                relay = %self.relay.relay.name,
                "{} does not take the next mail's commands behind a mail; each mail goes by itself from now on",
                self.relay.relay.endpoint
            );
        }
        blame.is_due()
    }

    /// A connection broke where an offer's commands went out together; whether that form is to blame.
    pub(crate) fn blames_groups(&self, broken: &ConnectionLost) -> bool {
        let blame = self.relay.pipelining.group_broke(Instant::now());
        if blame == Blame::First {
            let relay = &self.relay.relay;
            tracing::warn!(
                relay = %relay.name,
                "{} offers PIPELINING and broke off where it was used ({broken}); its commands go one at a time for a while",
                relay.endpoint
            );
        }
        blame.is_due()
    }

    /// Whether another relay may take what this one refuses for our fault.
    pub(crate) fn another_works(&self) -> bool {
        self.others().any(|relay| relay.resting().is_none())
    }

    fn said(&self, step: Step, answer: &Reply) -> String {
        format!(
            "{} answers {} with “{}”",
            self.relay.relay.endpoint,
            step.word(),
            answer.text()
        )
    }

    /// The connection broke while the content was written: before its end the server has nothing, after it
    /// nobody knows (RFC 1047).
    pub(crate) fn lost_content(&self, lost: LostAfterData) -> Fate {
        let endpoint = &self.relay.relay.endpoint;
        self.relay.lost(&format!(
            "{endpoint} lost the connection while it took a mail: {}",
            lost.why
        ));
        if lost.after_dot {
            let text = format!(
                "the connection was lost after the mail and before the answer: {}",
                lost.why
            );
            Fate::new(Event::Unconfirmed, text)
        } else {
            let text = format!(
                "the connection was lost before the end of the mail: {}",
                lost.why
            );
            Fate::new(Event::TempFail, text)
        }
    }

    /// The connection broke before any content, whatever the reason: a server's last words may be lost with it,
    /// so the person waits as after a temporary refusal.
    pub(crate) fn lost_before(&self, lost: &ConnectionLost) -> Fate {
        let endpoint = &self.relay.relay.endpoint;
        self.relay.lost(&format!(
            "{endpoint} lost the connection before a mail: {lost}"
        ));
        Fate::new(
            Event::TempFail,
            format!("the connection was lost before the mail: {lost}"),
        )
    }

    /// How long a mail waits after so many tries.
    fn wait_after(&self, tries: u32) -> Duration {
        let settings = &self.shared.settings;
        let mut chance = [0];
        self.shared.clock.random(&mut chance);
        retry::wait(
            tries,
            settings.first_retry,
            settings.longest_retry,
            chance[0],
        )
    }

    /// Keeps the outcome for the next claim. Who is postponed for too long has failed.
    pub(crate) fn keep(&mut self, job: Job, attempt: u32, mut fate: Fate) {
        let toll = self.heard(&job, &fate);
        let now = self.shared.clock.now();
        let mut patience = self.shared.settings.give_up_after;
        let pause = match (fate.pause.take(), job.issue()) {
            (Some(reason), Some(issue)) if !self.another_works() => Some((issue, reason)),
            // Another relay may take it: this one rests.
            (Some(reason), Some(_)) => {
                self.relay.rest(&reason);
                None
            }
            // No issue could pause, and other lists' mails need not wait: it waits alone, until its author has mended it.
            (Some(reason), None) => {
                tracing::warn!("a confirmation mail waits: {reason}");
                (fate.event, patience) = (Event::TempFail, Duration::MAX);
                None
            }
            (None, Some(issue)) => toll.map(|reason| (issue, reason)),
            (None, None) => None,
        };
        let mut next_at = None;
        if fate.event == Event::TempFail {
            let since = job.candidate.first_at.unwrap_or(now);
            let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
            if waited >= patience {
                fate.event = Event::PermFail;
            } else {
                next_at = now.checked_add(self.wait_after(attempt)).ok();
            }
        }
        self.shared.desk.done(job.candidate.key);
        self.told = Entry {
            outcome: Some(Outcome {
                key: job.candidate.key,
                from: State::Sending,
                attempt,
                event: fate.event,
                next_at,
                reply: fate.reply,
                relay: self.relay.relay.name.clone(),
            }),
            pause,
            claim: None,
        };
    }
}
