//! A mail in a connection's hands: written for its person, ready to be offered, and being signed meanwhile.

use super::Worker;
use crate::delivery::desk::Job;
use crate::delivery::signing::{Signed, SignedMail};
use crate::mail::Recipient;
use crate::model::delivery::MailKey;
use crate::smtp::{Client, Envelope};

/// One mail to one person.
pub(crate) struct Draft {
    pub job: Job,
    /// The envelope's sender.
    sender: String,
    utf8: bool,
    mail: Signed,
    /// Its commands went out behind the mail before it.
    pub offered: bool,
}

impl Draft {
    pub(crate) fn envelope(&self) -> Envelope<'_> {
        Envelope {
            sender: &self.sender,
            recipient: self.job.candidate.email.as_str(),
            utf8: self.utf8,
            size_bytes: self.mail.size_max_bytes,
        }
    }

    /// Takes the mail apart into its job and what will be its content, with the line of the dot that ends it.
    pub(crate) fn content(self) -> (Job, impl Future<Output = SignedMail>) {
        let content = async {
            let mut mail = self.mail.mail().await;
            mail.push(b".\r\n");
            mail
        };
        (self.job, content)
    }
}

impl Worker {
    /// Writes a mail and begins to have it signed.
    pub(crate) fn draft(&mut self, job: Job) -> Draft {
        let now = self.shared.clock.now();
        let candidate = &job.candidate;
        let links = &self.shared.links;
        let to = Recipient {
            subscriber: candidate.subscriber,
            email: &candidate.email,
            name: &candidate.name,
            since: candidate.since,
            links: links.of(candidate.list, candidate.subscriber),
        };
        let write = |out: &mut Vec<u8>| job.letter.template.write(&to, now, out);
        let mail = self.shared.signing.sign(
            &job.letter.from,
            std::mem::take(&mut self.spare),
            now,
            write,
        );
        let sender = match (&job.letter.bounce, candidate.key) {
            (Some(bounce), MailKey::Issue(issue, who)) => match links.bounce_token(issue, who) {
                Some(token) => format!("{}+{token}@{}", bounce.local(), bounce.domain()),
                None => bounce.to_string(),
            },
            _ => job.letter.from.to_string(),
        };
        let utf8 = candidate.email.needs_smtputf8() || !sender.is_ascii() || !mail.is_ascii;
        Draft {
            job,
            sender,
            utf8,
            mail,
            offered: false,
        }
    }

    /// The next mail, where it may be offered right behind the one in hand: the settings ask for it, the server takes
    /// it, and the relay's measure permits it now.
    pub(crate) fn follower(&mut self, line: &Client) -> Option<Draft> {
        let relay = &self.relay;
        let may = relay.pipelining.allows_ahead()
            && line.can_follow(false)
            && self.is_good(line, 1)
            && self.wait().is_none();
        if !may {
            return None;
        }
        let job = self.shared.desk.try_take(self.aside())?;
        let job = self.measure(job)?;
        if self.has_had_enough(&job) {
            self.give_back(job);
            return None;
        }
        let mut draft = self.draft(job);
        if !line.can_follow(draft.utf8) {
            self.give_back(draft.job);
            return None;
        }
        draft.offered = true;
        Some(draft)
    }
}
