//! The vocabulary of SMTP replies that outlives a connection: which command was answered, the enhanced status code,
//! and what the ledger keeps of a reply.
//!
//! Reading a reply from the wire and judging it is left to `smtp::reply`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The point in an SMTP conversation at which the server replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The greeting after the connection was accepted.
    Greeting,
    /// EHLO.
    Ehlo,
    /// HELO, for a server that does not know EHLO.
    Helo,
    /// STARTTLS (RFC 3207).
    Starttls,
    /// AUTH and the lines that belong to it (RFC 4954).
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The content of a mail, up to and including the dot that ends it.
    Content,
    /// RSET and QUIT.
    Other,
}

impl Step {
    /// The command as it is named in a sentence: “… in reply to RCPT TO”.
    pub fn word(self) -> &'static str {
        match self {
            Step::Greeting => "the connection",
            Step::Ehlo => "EHLO",
            Step::Helo => "HELO",
            Step::Starttls => "STARTTLS",
            Step::Auth => "AUTH",
            Step::Mail => "MAIL FROM",
            Step::Rcpt => "RCPT TO",
            Step::Data => "DATA",
            Step::Content => "the mail",
            Step::Other => "RSET",
        }
    }
}

/// An enhanced status code: class, subject and detail (RFC 3463, section 2), such as 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnhancedCode(pub u16, pub u16, pub u16);

impl EnhancedCode {
    /// Reads three numbers of one to three digits with dots between them; anything else is `None`.
    pub fn parse(word: &str) -> Option<EnhancedCode> {
        let mut parts = word.split('.').map(|part| {
            let short = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if short {
                part.parse::<u16>().ok()
            } else {
                None
            }
        });
        let code = EnhancedCode(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(code)
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What the ledger keeps about the outcome of one attempt: the server's reply, or our own words where there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The SMTP reply code, 200 to 599; `None` where no server replied.
    pub code: Option<u16>,
    /// The enhanced status code that came with it. It is not stored in a column of its own, since `text` shows it.
    pub enhanced: Option<EnhancedCode>,
    /// The whole reply on one line, with its codes as the server wrote them, or our reason.
    pub text: String,
}

impl Diagnostic {
    /// A reason of our own, where no server replied.
    pub fn without_reply(reason: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: None,
            enhanced: None,
            text: reason.into(),
        }
    }
}
