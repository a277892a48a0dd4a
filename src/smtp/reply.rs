//! A server's replies: reading them, and what each means. Pure.
//!
//! A reply is parsed once, at the wire, into its code, its enhanced code and its lines. [`Reply::verdict`] follows
//! RFC 5321 (section 4.2.1: the first digit decides; 4.2.4: also for unknown codes; 4.3.2: which reply to which
//! command) and RFC 4954, section 6 (53x: authentication): it tells what a reply means for the conversation. Whom a
//! refusal of a mail is about, this person or us, is left to `about`.

use crate::model::reply::{Diagnostic, EnhancedCode, Step};
use crate::model::waiting::Remedy;

/// The most bytes of a line that are kept. RFC 5321, section 4.5.3.1.5 allows 512; servers write more.
pub const LINE_MAX: usize = 2048;
/// The most lines of one reply.
pub const LINES_MAX: usize = 200;
/// The most characters of a reply that are kept for people.
const TEXT_MAX: usize = 1000;

/// One reply, with all its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced code that the first line begins with (RFC 2034), where its class agrees with the code's.
    pub enhanced: Option<EnhancedCode>,
    /// The lines without their codes, enhanced ones included; never empty.
    pub lines: Vec<String>,
}

impl Reply {
    /// A reply of these lines, which stand without their codes.
    pub fn new(code: u16, lines: Vec<String>) -> Reply {
        let first = lines
            .first()
            .and_then(|line| line.split_whitespace().next());
        let enhanced = first
            .and_then(EnhancedCode::parse)
            .filter(|enhanced| enhanced.0 == code / 100);
        Reply {
            code,
            enhanced,
            lines,
        }
    }

    /// The whole reply on one line, its codes as the server wrote them.
    pub fn text(&self) -> String {
        let mut text = self.code.to_string();
        let repeated = self.enhanced.map(|code| format!("{code} "));
        for (i, line) in self.lines.iter().enumerate() {
            // Each line of a reply repeats the enhanced code (RFC 2034, section 4); people read it once.
            let line = match &repeated {
                Some(code) if i > 0 => line.strip_prefix(code.as_str()).unwrap_or(line),
                _ => line,
            };
            if !line.is_empty() {
                text.push(' ');
                text.push_str(line);
            }
        }
        match text.char_indices().nth(TEXT_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// What the ledger keeps of it.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic {
            code: Some(self.code),
            enhanced: self.enhanced,
            text: self.text(),
        }
    }
}

/// One line of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyLine {
    /// 200 to 599.
    pub code: u16,
    /// More lines follow.
    pub more: bool,
    /// The text after the code, on one line and without control characters.
    pub text: String,
}

impl ReplyLine {
    /// Reads a line, its line end left off; `None` where it is not a line of a reply (RFC 5321, section 4.2).
    pub fn read(bytes: &[u8]) -> Option<ReplyLine> {
        let (digits, rest) = bytes.split_at_checked(3)?;
        if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
            return None;
        }
        let code = digits
            .iter()
            .fold(0, |code, d| code * 10 + u16::from(d - b'0'));
        let (more, text) = match rest.split_first() {
            None => (false, &[][..]),
            Some((b' ', text)) => (false, text),
            Some((b'-', text)) => (true, text),
            Some(_) => return None,
        };
        Some(ReplyLine {
            code,
            more,
            text: readable(text),
        })
    }
}

/// A server's bytes as one line that can be shown: not all servers write UTF-8, and some write worse.
fn readable(bytes: &[u8]) -> String {
    if let Ok(text) = str::from_utf8(bytes)
        && !text.chars().any(char::is_control)
    {
        return text.trim().to_owned();
    }
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

/// What a reply means for the conversation and for whom it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be: continue.
    Positive,
    /// A temporary failure for this person.
    TempFail,
    /// A permanent failure for this person.
    PermFail,
    /// The server accepts nothing now, and nobody is at fault.
    RelayUnavailable,
    /// Something of ours is wrong, which the author has to fix.
    ConfigFault,
    /// Not a reply that the protocol has at this step: the connection is not usable any more.
    ProtocolError,
}

impl Reply {
    /// Whose matter it is, as a reply to this step.
    pub fn verdict(&self, step: Step) -> Verdict {
        let personal = matches!(step, Step::Rcpt | Step::Data | Step::Content);
        match (self.code / 100, step) {
            // 354 is the only positive reply to DATA, and to nothing else (RFC 5321, section 4.3.2). AUTH continues
            // by 334.
            (3, Step::Data) => Verdict::Positive,
            (3, Step::Auth) if self.code == 334 => Verdict::Positive,
            (2, Step::Data) | (3, _) => Verdict::ProtocolError,
            (2, _) => Verdict::Positive,
            (4, _) if personal => Verdict::TempFail,
            (4, _) => Verdict::RelayUnavailable,
            // RFC 4954, section 6: log in first, or better, or under TLS. Never a person's fault.
            (5, _) if self.asks_for_login() || self.refuses_our_name() => Verdict::ConfigFault,
            (5, _) if personal => Verdict::PermFail,
            (5, _) => Verdict::ConfigFault,
            _ => Verdict::ProtocolError,
        }
    }

    /// What the author can do about a rejection that is our matter.
    pub fn remedy(&self, step: Step) -> Remedy {
        match (step, self.code) {
            _ if self.asks_for_tls() => Remedy::UseTls,
            _ if self.asks_for_login() => Remedy::CheckLogin,
            _ if self.refuses_our_name() => Remedy::SetEhloName,
            (Step::Auth, _) => Remedy::CheckLogin,
            (Step::Ehlo, 500 | 502 | 504) => Remedy::KnowsNoEhlo,
            (Step::Greeting | Step::Ehlo | Step::Helo, _) => Remedy::NotServed,
            (Step::Starttls, _) => Remedy::CheckTls,
            (Step::Mail, _) if self.is_about_size() => Remedy::Shorten,
            (Step::Mail, 552) => Remedy::NoRoom,
            (Step::Mail, _) => Remedy::CheckSender,
            _ => Remedy::AskOperator,
        }
    }

    fn asks_for_login(&self) -> bool {
        matches!(self.code, 530 | 534 | 535 | 538)
    }

    /// Whether it is about the name given in EHLO. Many servers say so only where somebody was named (Postfix by
    /// default), and no code tells it from what is that person's matter.
    pub fn refuses_our_name(&self) -> bool {
        let words = self.text().to_ascii_lowercase();
        OF_OUR_NAME.iter().any(|known| words.contains(known))
    }

    /// Whether it asks for TLS before anything else: 530 of RFC 3207, section 4, whose words alone tell it from the
    /// 530 that asks for a login; 538 of RFC 2554, section 6; and the registry's 5.7.10 and 5.7.11.
    fn asks_for_tls(&self) -> bool {
        let says_so = || {
            let words = self.text().to_ascii_lowercase();
            ["starttls", "tls", "encrypt"]
                .iter()
                .any(|word| words.contains(word))
        };
        match self.code {
            538 => true,
            530 => matches!(self.enhanced, Some(EnhancedCode(5, 7, 10 | 11))) || says_so(),
            _ => false,
        }
    }

    /// Whether a rejection of a sender, before anybody was named, is about the size that MAIL declared: RFC 1870,
    /// section 6.1 has 552, RFC 3463 has 5.3.4 (the system's limit) and 5.2.3 (an administrative one). All mails of an
    /// issue are about as large, so it is not one person's matter.
    fn is_about_size(&self) -> bool {
        match self.enhanced {
            Some(EnhancedCode(5, 3, 4) | EnhancedCode(5, 2, 3)) => true,
            Some(_) => false,
            None => self.code == 552,
        }
    }
}

/// Words by which servers say that they want another name in EHLO, in lower case.
const OF_OUR_NAME: [&str; 7] = [
    "helo command rejected",
    "ehlo command rejected",
    "fully-qualified hostname",
    "fully qualified hostname",
    "invalid helo",
    "helo should be",
    "helo name",
];
#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply::new(code, vec![text.into()])
    }

    #[test]
    fn a_name_in_ehlo_that_is_refused_late_is_nobodys_fault() {
        for text in [
            "5.5.2 <[192.0.2.1]>: Helo command rejected: need fully-qualified hostname",
            "5.7.1 <laptop>: Helo command rejected: Host not found",
            "HELO should be a FQDN or address literal (See RFC 2821 4.1.1.1)",
            "5.7.1 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
        ] {
            for code in [504, 550, 554] {
                let reply = reply(code, text);
                assert_eq!(reply.verdict(Step::Rcpt), Verdict::ConfigFault, "{text}");
                assert_eq!(reply.remedy(Step::Rcpt), Remedy::SetEhloName, "{text}");
            }
        }
        assert_eq!(
            reply(550, "5.1.1 <helo@readers.example>: no such user").verdict(Step::Rcpt),
            Verdict::PermFail
        );
    }

    #[test]
    fn each_rejection_is_somebodys_matter() {
        use Verdict::*;
        for (step, code, verdict) in [
            (Step::Greeting, 220, Positive),
            (Step::Greeting, 421, RelayUnavailable),
            (Step::Greeting, 554, ConfigFault),
            (Step::Ehlo, 250, Positive),
            (Step::Ehlo, 421, RelayUnavailable),
            (Step::Ehlo, 502, ConfigFault),
            (Step::Starttls, 454, RelayUnavailable),
            (Step::Auth, 235, Positive),
            (Step::Auth, 334, Positive),
            (Step::Auth, 454, RelayUnavailable),
            (Step::Auth, 535, ConfigFault),
            (Step::Mail, 250, Positive),
            (Step::Mail, 451, RelayUnavailable),
            (Step::Mail, 550, ConfigFault),
            (Step::Mail, 552, ConfigFault),
            (Step::Rcpt, 250, Positive),
            (Step::Rcpt, 251, Positive),
            (Step::Rcpt, 421, TempFail),
            (Step::Rcpt, 450, TempFail),
            (Step::Rcpt, 452, TempFail),
            (Step::Rcpt, 530, ConfigFault),
            (Step::Rcpt, 550, PermFail),
            (Step::Rcpt, 599, PermFail),
            (Step::Data, 354, Positive),
            (Step::Data, 250, ProtocolError),
            (Step::Data, 451, TempFail),
            (Step::Data, 554, PermFail),
            (Step::Content, 250, Positive),
            (Step::Content, 299, Positive),
            (Step::Content, 354, ProtocolError),
            (Step::Content, 421, TempFail),
            (Step::Content, 452, TempFail),
            (Step::Content, 552, PermFail),
            (Step::Mail, 354, ProtocolError),
        ] {
            assert_eq!(
                reply(code, "x").verdict(step),
                verdict,
                "{code} after {step:?}"
            );
        }
    }

    #[test]
    fn what_the_author_can_fix_is_named() {
        for (step, code, text, wanted) in [
            (
                Step::Mail,
                552,
                "message size exceeds fixed maximum message size",
                "shorten the issue",
            ),
            (
                Step::Mail,
                552,
                "5.3.4 Message size exceeds fixed limit",
                "shorten the issue",
            ),
            (Step::Mail, 554, "5.3.4 too big", "shorten the issue"),
            (Step::Mail, 552, "5.2.2 over quota", "no room"),
            (Step::Mail, 550, "5.1.8 bad sender", "check from"),
            (
                Step::Mail,
                530,
                "5.7.0 Must issue a STARTTLS command first",
                "set its tls",
            ),
            (Step::Auth, 530, "5.7.10 Encryption needed", "set its tls"),
            (
                Step::Auth,
                538,
                "5.7.11 required for requested authentication mechanism",
                "set its tls",
            ),
            (
                Step::Mail,
                530,
                "5.7.0 Authentication required",
                "check username and password",
            ),
            (Step::Auth, 535, "5.7.8 no", "check username and password"),
            (Step::Starttls, 501, "no", "refuses TLS"),
        ] {
            let reply = reply(code, text);
            assert_eq!(reply.verdict(step), Verdict::ConfigFault, "{code} {text}");
            let said = reply.remedy(step).to_string();
            assert!(said.contains(wanted), "{code} {text}: {said}");
        }
    }

    #[test]
    fn enhanced_codes_agree_with_the_reply_or_are_none() {
        assert_eq!(
            reply(550, "5.1.1 no such person").enhanced,
            Some(EnhancedCode(5, 1, 1))
        );
        assert_eq!(reply(550, "4.1.1 no such person").enhanced, None);
        assert_eq!(reply(550, "no such person 5.1.1").enhanced, None);
        assert_eq!(reply(550, "5.1.1.1 x").enhanced, None);
        assert_eq!(reply(550, "5.1 x").enhanced, None);
        assert_eq!(reply(550, "5.1.1234 x").enhanced, None);
        assert_eq!(reply(550, "").enhanced, None);
    }

    #[test]
    fn a_reply_is_one_line_with_its_codes() {
        let grey = Reply::new(450, vec!["4.2.0 grey".into(), "4.2.0 listed".into()]);
        assert_eq!(grey.text(), "450 4.2.0 grey listed");
        assert_eq!(reply(250, "").text(), "250");
        let long = Reply::new(550, vec!["长".repeat(5000)]);
        assert_eq!(long.text().chars().count(), TEXT_MAX + 1);
    }

    #[test]
    fn lines_are_read_strictly() {
        assert_eq!(
            ReplyLine::read(b"250 ok"),
            Some(ReplyLine {
                code: 250,
                more: false,
                text: "ok".into()
            })
        );
        assert_eq!(
            ReplyLine::read(b"250-ok"),
            Some(ReplyLine {
                code: 250,
                more: true,
                text: "ok".into()
            })
        );
        assert_eq!(
            ReplyLine::read(b"250"),
            Some(ReplyLine {
                code: 250,
                more: false,
                text: String::new()
            })
        );
        for odd in [
            &b"garbage answer"[..],
            b"",
            b"25",
            b"2500",
            b"150 x",
            b"650 x",
            b"25a x",
            b"250_x",
        ] {
            assert_eq!(ReplyLine::read(odd), None, "{odd:?}");
        }
        // Latin-1, and what a terminal would obey.
        let line = ReplyLine::read(b"550 bo\xeete pleine\x1b[31m").unwrap();
        assert_eq!(line.text, "bo\u{fffd}te pleine [31m");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(0_u8.., 0..300)) {
            if let Some(line) = ReplyLine::read(&bytes) {
                proptest::prop_assert!((200..600).contains(&line.code));
                proptest::prop_assert!(!line.text.chars().any(char::is_control));
            }
        }
    }
}
