//! A mail in a connection's hands: written for its recipient, and being signed while it is claimed.

use jiff::Timestamp;

use super::ready_queue::{InFlight, Permit};
use super::signing::{Signed, SignedMail, Signing};
use crate::link::Links;
use crate::mail::{Recipient, dkim};
use crate::model::delivery::MailKey;
use crate::smtp::Envelope;

/// One mail to one person.
pub(super) struct PreparedMail {
    pub permit: Permit,
    /// The envelope's sender.
    sender: String,
    needs_utf8: bool,
    mail: Signed,
    /// Whether its envelope was sent behind the mail before it.
    pub is_ahead: bool,
}

impl PreparedMail {
    /// Writes a mail and begins to sign it as its relay's policy has it. `buffer` is reused for its bytes.
    pub(super) fn new(
        permit: Permit,
        links: &Links,
        signing: (&Signing, &dkim::Policy),
        now: Timestamp,
        buffer: Vec<u8>,
    ) -> PreparedMail {
        let (candidate, mailing) = (&permit.candidate, &permit.mailing);
        let to = Recipient {
            subscriber: candidate.subscriber,
            email: &candidate.email,
            name: &candidate.name,
            since: candidate.since,
            links: links.of(candidate.list, candidate.subscriber),
        };
        let write = |out: &mut Vec<u8>| mailing.template.write(&to, now, out);
        let (signing, policy) = signing;
        let mail = signing.sign((&mailing.from, policy), buffer, now, write);
        let sender = match (&mailing.bounce, candidate.key) {
            (Some(bounce), MailKey::Issue(issue, who)) => match links.bounce_token(issue, who) {
                Some(token) => format!("{}+{token}@{}", bounce.local(), bounce.domain()),
                None => bounce.to_string(),
            },
            _ => mailing.from.to_string(),
        };
        let needs_utf8 = candidate.email.needs_smtputf8() || !sender.is_ascii() || !mail.is_ascii;
        PreparedMail {
            permit,
            sender,
            needs_utf8,
            mail,
            is_ahead: false,
        }
    }

    /// Whether it needs a server that offers SMTPUTF8 (RFC 6531).
    pub(super) fn needs_utf8(&self) -> bool {
        self.needs_utf8
    }

    pub(super) fn envelope(&self) -> Envelope<'_> {
        Envelope {
            sender: &self.sender,
            recipient: self.permit.candidate.email.as_str(),
            utf8: self.needs_utf8,
            size_bytes: self.mail.size_max_bytes,
        }
    }

    /// Uses up its permit, since it was claimed. Returns it with what will be its content, which ends with the line of
    /// the dot.
    pub(super) fn claimed(self) -> (InFlight, impl Future<Output = SignedMail>) {
        let content = async {
            let mut mail = self.mail.mail().await;
            mail.push(b".\r\n");
            mail
        };
        (self.permit.spent(), content)
    }
}
