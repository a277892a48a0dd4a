//! A mail and the signatures before it, or on the way there.
//!
//! Room is left before a mail for what signs it, so that its 40 KB are neither moved nor written again: they would
//! have to travel from one core to another once more.

use tokio::task::JoinHandle;

/// A mail with its signatures, or on the way to them.
pub struct Signed {
    /// What the mail comes to at most, known before it is signed (RFC 1870, 6.1 permits such an estimate).
    pub size_max_bytes: usize,
    /// Whether it holds nothing beyond ASCII; its signatures never do.
    pub is_ascii: bool,
    pub(super) mail: Progress,
}

pub(super) enum Progress {
    Done(SignedMail),
    Runs(JoinHandle<SignedMail>),
}

impl Signed {
    /// The whole mail, once it is signed.
    pub async fn mail(self) -> SignedMail {
        match self.mail {
            Progress::Done(mail) => mail,
            Progress::Runs(signing) => match signing.await {
                Ok(mail) => mail,
                // It can't be cancelled once it runs; what is left is a defect, which shows here as it would have there.
                Err(died) => std::panic::resume_unwind(died.into_panic()),
            },
        }
    }
}

/// A whole mail, behind room that may be left over.
pub struct SignedMail {
    buffer: Vec<u8>,
    start: usize,
}

impl SignedMail {
    /// Has a mail written behind so many free bytes.
    pub(super) fn written(
        mut buffer: Vec<u8>,
        room: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> SignedMail {
        buffer.clear();
        buffer.resize(room, 0);
        write(&mut buffer);
        SignedMail {
            buffer,
            start: room,
        }
    }

    /// Puts fields before the mail; where the room does not suffice, the mail is moved.
    pub(super) fn put_before(&mut self, fields: &[u8]) {
        match self.start.checked_sub(fields.len()) {
            Some(start) => self.buffer[start..self.start].copy_from_slice(fields),
            None => drop(self.buffer.splice(..self.start, fields.iter().copied())),
        }
        self.start = self.start.saturating_sub(fields.len());
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Appends to the mail.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// What held it, for its room.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_before_the_mail_whether_there_is_room_or_not() {
        for room in [0, 3, 4, 5, 100] {
            let mut mail = SignedMail::written(vec![7; 50], room, |out| {
                out.extend_from_slice(b"A: b\r\n\r\nc\r\n")
            });
            assert_eq!(mail.as_slice(), b"A: b\r\n\r\nc\r\n");
            mail.put_before(b"S:\r\n");
            mail.push(b".\r\n");
            assert_eq!(
                mail.as_slice(),
                b"S:\r\nA: b\r\n\r\nc\r\n.\r\n",
                "{room} bytes of room"
            );
        }
    }
}
