//! Learning from answers how quickly mails may come, to a provider and by the relay, and whether they should at all.

use super::Worker;
use crate::delivery::desk::Job;
use crate::delivery::reply::is_too_quick;
use crate::model::delivery::{Event, Reply};

impl Worker {
    /// Takes an answer for what it says of speed. A complaint about one recipient is taken to come from the provider;
    /// one about two providers, one that closes the connection, or one before any recipient is the relay's own.
    ///
    /// Gives the reason where too many of the issue's answers are failures by now.
    pub(crate) fn heard(&self, job: &Job, event: Event, reply: &Reply) -> Option<String> {
        self.learn(job, event, reply);
        let providers = &self.shared.settings.pacing.domains.providers;
        self.shared.toll.count(
            job.issue()?,
            providers.of(job.candidate.email.domain()),
            event,
            reply,
        )
    }

    fn learn(&self, job: &Job, event: Event, reply: &Reply) {
        let domain = job.candidate.email.domain();
        if event == Event::Accepted {
            self.relay.good();
            self.shared.desk.good(domain);
            return;
        }
        let Some(code) = reply.code.filter(|code| is_too_quick(*code, &reply.text)) else {
            return;
        };
        let mut own = event == Event::Requeued || code == 421;
        if event == Event::TempFail {
            let (provider, rate) = self.shared.desk.complaint(domain);
            own |= self.relay.complains_of(&provider);
            tell(&provider, rate, &reply.text);
        }
        if own {
            tell(
                &format!("the relay {}", self.relay.relay.name),
                self.relay.complaint(),
                &reply.text,
            );
        }
    }
}

/// Logs a rate that was learnt.
fn tell(who: &str, rate: Option<f64>, words: &str) {
    if let Some(rate) = rate {
        tracing::warn!(
            "{who} gets no more than {rate:.0} messages a minute for now, since a server said “{words}”"
        );
    }
}
