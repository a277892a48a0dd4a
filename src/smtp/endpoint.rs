//! Where a connection leads and how it is made: what the protocol has to know of a relay.
//!
//! How much a relay is given, and when, is the sender's matter (`delivery::Relay`).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a connection is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS (RFC 3207), never falling back to clear text.
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Clear text: for relays on this machine.
    None,
}

/// How far commands run ahead of their replies (RFC 2920), where the server offers PIPELINING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipelining {
    /// Each reply is awaited before the next command.
    Off,
    /// MAIL, RCPT and DATA in one write: a mail costs two round trips.
    Standard,
    /// The next mail's commands follow the content as well: one round trip a mail, where the server takes it.
    Ahead,
}

/// The credentials of AUTH (RFC 4954).
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The authentication identity.
    pub username: String,
    /// The password, which is never shown or logged.
    pub password: String,
}

impl fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.username)
    }
}

/// An SMTP server, and how to talk to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A domain name or an IP address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: Tls,
    /// Certificates in PEM form that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The login, where the server needs one.
    pub login: Option<Login>,
    /// How far commands run ahead of their replies.
    pub pipelining: Pipelining,
    /// The most mails on one connection; 0: no limit.
    pub messages_per_connection: u32,
    /// How long each step may take.
    pub timeouts: Timeouts,
}

impl fmt::Display for Endpoint {
    /// As `host:port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How long each step of a conversation may take (RFC 5321, section 4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Making the TCP connection.
    pub connect: Duration,
    /// The greeting, and a TLS handshake.
    pub greeting: Duration,
    /// The reply to MAIL, RCPT and other commands.
    pub command: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// Each block of a mail that the server must accept.
    pub block: Duration,
    /// The reply after the final dot. A short one makes duplicates: the server may be slow, and have the mail.
    pub dot: Duration,
}

impl Default for Timeouts {
    /// The values of RFC 5321, section 4.5.3.2, and 30 s to connect.
    fn default() -> Timeouts {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Timeouts {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
        }
    }
}
