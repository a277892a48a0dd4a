//! What became of one mail: the server's reply, or a connection that was lost, becomes an event of the ledger, and tells
//! the relay's state.

use jiff::Timestamp;

use super::ready_queue::Job;
use super::relay::{DailyLimit, RelayState};
use super::relays::Relays;
use crate::model::delivery::Event;
use crate::model::reply::Diagnostic;
use crate::model::waiting::{RelayFault, RelayProblem, Remedy};
use crate::pace::warmup;
use crate::smtp::{About, Client, ConnectionLost, LostAfterData, Reply, Step, Verdict};

/// What became of one mail, before it is written down.
pub(super) struct Disposition {
    pub event: Event,
    pub reply: Diagnostic,
    /// The server says that mails come too fast.
    pub complains_of_rate: bool,
    /// The server asks for a later try, as it does of every sender it has not met.
    pub is_greylisting: bool,
    /// Why its issue must pause, where no other relay takes it.
    pub pause: Option<RelayFault>,
    /// Whom a permanent refusal is about, where that is not the person.
    pub refusal: Option<(About, RelayFault)>,
}

impl Disposition {
    /// Without a server's reply.
    fn new(event: Event, text: impl Into<String>) -> Disposition {
        Disposition {
            event,
            reply: Diagnostic::without_reply(text),
            complains_of_rate: false,
            is_greylisting: false,
            pause: None,
            refusal: None,
        }
    }

    fn of(event: Event, reply: &Reply) -> Disposition {
        Disposition {
            reply: reply.diagnostic(),
            complains_of_rate: reply.is_rate_complaint(),
            ..Disposition::new(event, "")
        }
    }

    /// It is sent again, since neither the recipient nor the mail is the reason.
    pub(super) fn requeued(why: &str) -> Disposition {
        Disposition::new(Event::Requeued, why)
    }

    fn pausing(self, why: RelayFault) -> Disposition {
        Disposition {
            pause: Some(why),
            ..self
        }
    }

    fn refused(self, about: About, why: RelayFault) -> Disposition {
        Disposition {
            refusal: Some((about, why)),
            ..self
        }
    }

    /// From the server's reply to a step of a mail, at a time.
    pub(super) fn of_reply(
        (relay, client, job): (&RelayState, &mut Client, &Job),
        (step, reply, verdict): (Step, &Reply, Verdict),
        now: Timestamp,
    ) -> Disposition {
        let is_first = client.served == 0;
        if verdict != Verdict::Positive && reply.is_about_daily_limit() {
            return Disposition::of_daily_limit(relay, step, reply, now);
        }
        match verdict {
            Verdict::Positive => {
                client.served += 1;
                relay.recovered();
                Disposition::of(Event::Accepted, reply)
            }
            Verdict::TempFail => {
                if reply.code == 421 && is_first {
                    relay.back_off(&rejected(relay, step, reply, None));
                }
                client.served += 1;
                Disposition {
                    is_greylisting: reply.is_greylisting(step),
                    ..Disposition::of(Event::TempFail, reply)
                }
            }
            Verdict::PermFail => {
                client.served += 1;
                Disposition::of_refusal(relay, job, step, reply)
            }
            Verdict::ConfigFault => {
                let why = rejected(relay, step, reply, Some(reply.remedy(step)));
                Disposition::of(Event::Requeued, reply).pausing(why)
            }
            Verdict::RelayUnavailable | Verdict::ProtocolError => {
                relay.back_off(&rejected(relay, step, reply, None));
                Disposition::of(Event::Requeued, reply)
            }
        }
    }

    /// From a permanent refusal of one mail. Only one that is about the person fails it for certain.
    fn of_refusal(relay: &RelayState, job: &Job, step: Step, reply: &Reply) -> Disposition {
        let about = reply.about(names_sender(reply, job));
        let event = match about {
            About::Recipient => {
                relay.recovered();
                return Disposition::of(Event::PermFail, reply);
            }
            About::Unknown => Event::PermFail,
            _ => Event::Requeued,
        };
        let why = rejected(relay, step, reply, Some(about.remedy()));
        Disposition::of(event, reply).refused(about, why)
    }

    /// From a relay that takes no more mails on this day, which is nobody's fault.
    fn of_daily_limit(
        relay: &RelayState,
        step: Step,
        reply: &Reply,
        now: Timestamp,
    ) -> Disposition {
        relay.reached_daily_limit(DailyLimit {
            until: warmup::end_of(warmup::day_of(now)),
            reply: reply.text(),
        });
        let about = About::DailyLimit;
        let why = rejected(relay, step, reply, Some(about.remedy()));
        Disposition {
            complains_of_rate: false,
            ..Disposition::of(Event::Requeued, reply).refused(about, why)
        }
    }

    /// From a connection that was lost while the content was written. Before its end the server has nothing; after it
    /// nobody knows (RFC 1047).
    pub(super) fn of_lost_content(relay: &RelayState, lost: &LostAfterData) -> Disposition {
        relay.connection_lost(&relay.fault(RelayProblem::LostDuringMail {
            cause: lost.why.to_string(),
        }));
        if lost.after_dot {
            let text = format!(
                "the connection was lost after the mail and before the answer: {}",
                lost.why
            );
            Disposition::new(Event::Unconfirmed, text)
        } else {
            let text = format!(
                "the connection was lost before the end of the mail: {}",
                lost.why
            );
            Disposition::new(Event::TempFail, text)
        }
    }

    /// From a connection that was lost before any content. A server's last words may be lost with it, so the mail waits
    /// as after a temporary failure.
    pub(super) fn of_lost_envelope(relay: &RelayState, lost: &ConnectionLost) -> Disposition {
        relay.connection_lost(&relay.fault(RelayProblem::LostBeforeMail {
            cause: lost.to_string(),
        }));
        Disposition::new(
            Event::TempFail,
            format!("the connection was lost before the mail: {lost}"),
        )
    }

    /// From a relay that lacks SMTPUTF8 (RFC 6531). Where the recipient's address needs it, only another relay helps,
    /// and one that backs off is waited for. Else the sender's address needs it, which fails nobody.
    pub(super) fn of_missing_utf8(relays: &Relays, place: usize, job: &Job) -> Disposition {
        let relay = relays.get(place);
        let name = &relay.relay.name;
        let text = format!("the relay {name} takes no address beyond ASCII (SMTPUTF8)");
        if !job.candidate.email.needs_smtputf8() {
            let why = relay.fault(RelayProblem::SenderNeedsUtf8);
            return Disposition::requeued(&text).pausing(why);
        }
        let mut others = relays.others(place);
        match others.find(|other| other.offers_utf8() == Some(true)) {
            Some(other) => {
                let text = format!("{text}, and {}, which does, backs off", other.relay.name);
                Disposition::new(Event::TempFail, text)
            }
            None => Disposition::new(Event::PermFail, text),
        }
    }
}

/// Whether a reply's text holds our sender's address, and not the recipient's.
fn names_sender(reply: &Reply, job: &Job) -> bool {
    let text = reply.text().to_lowercase();
    let holds = |address: &str| text.contains(&address.to_lowercase());
    let mailing = &job.mailing;
    let holds_bounce = mailing.bounce.as_ref().is_some_and(|bounce| {
        holds(&format!("{}+", bounce.local())) && holds(&format!("@{}", bounce.domain()))
    });
    (holds(mailing.from.as_str()) || holds_bounce) && !holds(job.candidate.email.as_str())
}

fn rejected(relay: &RelayState, step: Step, reply: &Reply, remedy: Option<Remedy>) -> RelayFault {
    relay.fault(RelayProblem::Rejected {
        step,
        reply: reply.text(),
        remedy,
    })
}
