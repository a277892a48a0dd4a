//! Learning from answers how quickly mails may come, to a provider and by the relay, and whether they should at all.

use super::Worker;
use super::fate::Fate;
use crate::delivery::desk::Job;
use crate::model::delivery::Event;

impl Worker {
    /// Takes an answer for what it says of speed. A complaint about one recipient is taken to come from the provider;
    /// one about two providers, one that closes the connection, or one before any recipient is the relay's own.
    ///
    /// Gives the reason where too many of the issue's answers are failures by now.
    pub(crate) fn heard(&self, job: &Job, fate: &Fate) -> Option<String> {
        self.learn(job, fate);
        let providers = &self.shared.settings.pacing.domains.providers;
        self.shared.toll.count(
            job.issue()?,
            providers.of(job.candidate.email.domain()),
            fate.event,
            &fate.reply,
        )
    }

    fn learn(&self, job: &Job, fate: &Fate) {
        let domain = job.candidate.email.domain();
        if fate.event == Event::Accepted {
            self.relay.good();
            self.shared.desk.good(domain);
            return;
        }
        if !fate.complains_of_rate {
            return;
        }
        let words = &fate.reply.text;
        let mut own = fate.event == Event::Requeued || fate.reply.code == Some(421);
        if fate.event == Event::TempFail {
            let (provider, rate) = self.shared.desk.complaint(domain);
            own |= self.relay.complains_of(&provider);
            tell(&provider, rate, words);
        }
        if own {
            tell(
                &format!("the relay {}", self.relay.relay.name),
                self.relay.complaint(),
                words,
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
