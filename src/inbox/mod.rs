//! The inbox inside, for the demo and rehearsals: a loopback SMTP server, its Maildir and its pages. It knows
//! no store: it sees what a mail server sees.

pub mod maildir;
pub mod pages;
mod smtp;

pub use smtp::serve_smtp;

/// A mail as it came over the wire.
#[derive(Debug)]
pub struct Received {
    /// From MAIL FROM; empty for a bounce.
    pub sender: String,
    /// From RCPT TO, in the order in which they came.
    pub recipients: Vec<String>,
    /// The content, lines ended by CRLF, the dots of RFC 5321 (4.5.2) taken out.
    pub bytes: Vec<u8>,
}

/// Where received mails go.
pub trait Mailbox: Send + Sync {
    /// Keeps one mail. Only when this has returned is the mail answered for.
    ///
    /// # Errors
    /// It can't be kept; the sender is told to try again later.
    fn keep(&self, mail: Received) -> std::io::Result<()>;
}
