//! The inbox of the demo and of rehearsals: an SMTP server on loopback, its Maildir and its pages. It does not use
//! the database; it sees what any mail server sees.

pub mod maildir;
pub mod pages;
mod smtp;

pub use smtp::serve_smtp;

/// A mail as it was received.
#[derive(Debug)]
pub struct Received {
    /// The address of MAIL FROM; empty for a bounce.
    pub sender: String,
    /// The addresses of RCPT TO, in order.
    pub recipients: Vec<String>,
    /// The content, without dot-stuffing (RFC 5321, 4.5.2); lines end with CRLF.
    pub bytes: Vec<u8>,
}

/// Where received mails are stored.
pub trait Mailbox: Send + Sync {
    /// Stores one mail. The server acknowledges it once this returns.
    ///
    /// # Errors
    /// If it can't be stored; the sender gets a temporary error.
    fn keep(&self, mail: Received) -> std::io::Result<()>;
}
