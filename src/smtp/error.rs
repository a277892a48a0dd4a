//! What goes wrong on a connection, as values: where, what, and what to do about it.
//!
//! What ends a connection says so itself; what keeps one from being made is worded by `format::reason`. Whose matter a
//! negative reply is, is judged in `reply`.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::reply::Reply;
use super::tls::{TlsFailure, TlsSetupError};
use crate::format;
use crate::model::reply::Step;
use crate::model::waiting::{RelayFault, RelayProblem, Remedy};

/// Why nothing more can be had from a connection. Its text follows “the connection was lost: …”.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionLost {
    /// The server closed it.
    Closed,
    /// The server did not answer, or took no more bytes, for as long as the step may take.
    TimedOut(Duration),
    /// The server accepted the connection and sent no greeting for so long.
    NoGreeting(Duration),
    /// The system reported an error; its message as people read it.
    Io(String),
    /// The TLS handshake failed.
    Tls(TlsFailure),
    /// The host is neither a domain name nor an address, so no certificate can be for it.
    NoServerName(String),
    /// Bytes arrived in clear text after the reply to STARTTLS and before TLS began (CVE-2011-0411).
    BytesBeforeTls,
    /// A reply to something that was not sent yet; its first line, escaped.
    Unasked(String),
    /// A line that is not an SMTP reply; its beginning, escaped.
    NotAReply(String),
    /// The lines of a reply have different codes, or there are too many (RFC 5321, section 4.2.1).
    MixedReply,
    /// A line that does not end.
    EndlessLine,
    /// A reply that the protocol does not have at this step.
    Unexpected {
        /// What was replied to.
        step: Step,
        /// The reply.
        reply: Reply,
    },
}

impl ConnectionLost {
    pub(super) fn io(error: &io::Error) -> ConnectionLost {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ConnectionLost::Closed,
            _ => ConnectionLost::Io(format::io(error)),
        }
    }

    /// From bytes that nothing had asked for.
    pub(super) fn unasked(bytes: &[u8]) -> ConnectionLost {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
        ConnectionLost::Unasked(shown(line.trim_ascii_end()))
    }
}

/// The beginning of a server's bytes, escaped.
pub(super) fn shown(bytes: &[u8]) -> String {
    let beginning: String = String::from_utf8_lossy(bytes).chars().take(80).collect();
    beginning.escape_debug().to_string()
}

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectionLost::Closed => f.write_str("the server closed it"),
            ConnectionLost::TimedOut(limit) => write!(f, "no answer within {} s", limit.as_secs()),
            ConnectionLost::NoGreeting(limit) => write!(
                f,
                "it accepts the connection, and no greeting arrived within {} s; check its host and port, and firewalls in between",
                limit.as_secs()
            ),
            ConnectionLost::Io(message) => f.write_str(message),
            ConnectionLost::Tls(failure) => write!(f, "TLS failed: {failure}"),
            ConnectionLost::NoServerName(host) => {
                write!(f, "{host} is not a name that a certificate can be for")
            }
            ConnectionLost::BytesBeforeTls => {
                f.write_str("something was inserted into it before TLS began")
            }
            ConnectionLost::Unasked(line) => {
                write!(
                    f,
                    "“{line}” came in reply to something that was not sent yet"
                )
            }
            ConnectionLost::NotAReply(line) => write!(f, "“{line}” is not an SMTP reply"),
            ConnectionLost::MixedReply => {
                f.write_str("a reply of several lines that don't belong together")
            }
            ConnectionLost::EndlessLine => f.write_str("a reply without an end"),
            ConnectionLost::Unexpected { step, reply } => {
                write!(f, "“{}” is not a reply to {}", reply.text(), step.word())
            }
        }
    }
}

/// A write that did not complete.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialWrite {
    /// Why it did not.
    pub why: ConnectionLost,
    /// The most bytes that can have left this machine.
    pub written: usize,
}

impl From<PartialWrite> for ConnectionLost {
    fn from(partial: PartialWrite) -> ConnectionLost {
        partial.why
    }
}

/// The connection was lost after the server had accepted DATA.
#[derive(Clone, Debug, PartialEq)]
pub struct LostAfterData {
    /// Whether the dot that ends the mail was handed over: then the server may have taken it (RFC 1047).
    pub after_dot: bool,
    /// Why it was lost.
    pub why: ConnectionLost,
}

/// Why there is no connection that is ready for mails.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectError {
    /// The server, as `host:port`.
    pub at: String,
    /// What went wrong.
    pub fault: ConnectFault,
}

/// What keeps a connection from being made.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectFault {
    /// The server can't be reached, or the connection broke before it was ready.
    Unreachable(ConnectionLost),
    /// The server rejects the connection or a command, for now.
    Unavailable {
        /// What was replied to.
        step: Step,
        /// The reply.
        reply: Reply,
        /// What the author can do about it, where something may help besides waiting.
        remedy: Option<Remedy>,
    },
    /// The server rejects what the settings have us do.
    Rejected {
        /// What was replied to.
        step: Step,
        /// The reply.
        reply: Reply,
        /// What the author can do about it.
        remedy: Remedy,
    },
    /// The server waits for TLS from the first byte, and the settings have us wait for its greeting.
    SpeaksTls,
    /// The server speaks clear text first, and the settings want TLS from the first byte.
    SpeaksClearText,
    /// STARTTLS is set and not offered.
    NoStarttls,
    /// A login over clear text to another machine.
    ClearTextLogin,
    /// The server's challenge is none of AUTH LOGIN.
    UnknownChallenge,
    /// The server offers neither AUTH PLAIN nor AUTH LOGIN.
    NoLogin,
    /// The file with the password can't be used.
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, after “can't be read:”.
        why: String,
    },
    /// TLS can't be set up on this side.
    Tls(TlsSetupError),
}

impl From<ConnectionLost> for ConnectFault {
    fn from(why: ConnectionLost) -> ConnectFault {
        ConnectFault::Unreachable(why)
    }
}

impl ConnectFault {
    /// Whether the author has to change something. Otherwise the server is tried again later.
    pub fn is_config_fault(&self) -> bool {
        !matches!(
            self,
            ConnectFault::Unreachable(_) | ConnectFault::Unavailable { .. }
        )
    }
}

impl ConnectError {
    /// Whether the server refuses the name or the password.
    pub fn is_refused_login(&self) -> bool {
        matches!(
            self.fault,
            ConnectFault::Rejected {
                step: Step::Auth,
                ..
            }
        )
    }

    /// What people read of it, and what is stored where an issue waits for it.
    pub fn relay_fault(&self) -> RelayFault {
        RelayFault {
            at: self.at.clone(),
            problem: match &self.fault {
                ConnectFault::Unreachable(why) => RelayProblem::Unreachable {
                    cause: why.to_string(),
                },
                ConnectFault::Unavailable {
                    step,
                    reply,
                    remedy,
                } => RelayProblem::Rejected {
                    step: *step,
                    reply: reply.text(),
                    remedy: *remedy,
                },
                ConnectFault::Rejected {
                    step,
                    reply,
                    remedy,
                } => RelayProblem::Rejected {
                    step: *step,
                    reply: reply.text(),
                    remedy: Some(*remedy),
                },
                ConnectFault::SpeaksTls => RelayProblem::SpeaksTls,
                ConnectFault::SpeaksClearText => RelayProblem::SpeaksClearText,
                ConnectFault::NoStarttls => RelayProblem::NoStarttls,
                ConnectFault::ClearTextLogin => RelayProblem::ClearTextLogin,
                ConnectFault::UnknownChallenge => RelayProblem::UnknownChallenge,
                ConnectFault::NoLogin => RelayProblem::NoLogin,
                ConnectFault::PasswordFile { path, why } => RelayProblem::PasswordFile {
                    path: path.display().to_string(),
                    cause: why.clone(),
                },
                ConnectFault::Tls(why) => RelayProblem::TlsSetup {
                    cause: why.to_string(),
                },
            },
        }
    }
}

impl fmt::Display for ConnectError {
    /// One sentence with what failed, where, and what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.relay_fault().fmt(f)
    }
}

impl std::error::Error for ConnectionLost {}
impl std::error::Error for ConnectError {}
