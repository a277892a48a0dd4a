//! What a mail's outcome says of the rate at which mails should go, to its provider and by its relay.

use super::disposition::Disposition;
use super::ready_queue::{Job, ReadyQueue};
use super::relay::RelayState;
use crate::model::delivery::Event;

/// Raises or lowers the rates of a mail's provider and relay by what became of it.
///
/// A complaint about one recipient is taken to come from the provider. One about two providers, one that closes the
/// connection, or one before any recipient is the relay's own.
pub(super) fn adapt_rates(
    queue: &ReadyQueue,
    relay: &RelayState,
    job: &Job,
    disposition: &Disposition,
) {
    let domain = job.candidate.email.domain();
    if disposition.event == Event::Accepted {
        relay.accepted();
        queue.accepted(domain);
        return;
    }
    if !disposition.complains_of_rate {
        return;
    }
    let reply = &disposition.reply;
    let mut is_own = disposition.event == Event::Requeued || reply.code == Some(421);
    if disposition.event == Event::TempFail {
        let (provider, rate) = queue.complaint(domain);
        is_own |= relay.complains_of_another(&provider);
        log(&provider, rate, &reply.text);
    }
    if is_own {
        let who = format!("the relay {}", relay.relay.name);
        log(&who, relay.complaint(), &reply.text);
    }
}

/// Logs a rate that was lowered.
fn log(who: &str, rate: Option<f64>, words: &str) {
    if let Some(rate) = rate {
        tracing::warn!(
            "{who} gets no more than {rate:.0} messages a minute for now, since a server said “{words}”"
        );
    }
}
