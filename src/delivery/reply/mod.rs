//! A server's replies: reading them, and what each means. Pure.
//!
//! The table of [`judge`] follows RFC 5321 (4.2.1: the first digit decides; 4.2.4: so it does for codes that are
//! not known; 4.3.2: which reply to which command), RFC 3463 and its registry (5.1.x is about the address,
//! 5.7.x about policy) and RFC 4954, section 6 (53x: authentication). It tells whose matter a refusal is: this
//! person's, this connection's, or ours; whoever is not at fault is never failed.

/// The most bytes of a line that are kept. RFC 5321, 4.5.3.1.5 allows 512; servers write more.
pub const LINE_MAX: usize = 2048;
/// The most lines of one reply.
pub const LINES_MAX: usize = 200;
/// The most characters of a reply that are kept for people.
const TEXT_MAX: usize = 1000;

/// Where in the conversation a reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Greeting,
    Ehlo,
    /// In the place of EHLO, for a server that knows none.
    Helo,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the dot that ends a mail.
    Content,
    /// RSET, QUIT.
    Other,
}

impl Step {
    /// As it stands in a sentence: “in answer to …”.
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

/// One reply, with all its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 599.
    pub code: u16,
    /// The lines without their codes; never empty.
    pub lines: Vec<String>,
}

impl Answer {
    /// The whole reply on one line, its codes as the server wrote them.
    pub fn text(&self) -> String {
        let mut text = self.code.to_string();
        let repeated = self.enhanced().map(|(a, b, c)| format!("{a}.{b}.{c} "));
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

    /// The enhanced status code (RFC 3463) that it begins with, where its class agrees with the reply's.
    pub fn enhanced(&self) -> Option<(u16, u16, u16)> {
        let word = self.lines.first()?.split_whitespace().next()?;
        let mut parts = word.split('.').map(|part| {
            let short = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if short {
                part.parse::<u16>().ok()
            } else {
                None
            }
        });
        let code = (parts.next()??, parts.next()??, parts.next()??);
        (parts.next().is_none() && code.0 == self.code / 100).then_some(code)
    }
}

/// A line of a reply, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub code: u16,
    /// More lines follow.
    pub more: bool,
    pub text: String,
}

/// Reads one line of a reply, its line end left off; `None` where it is no such line (RFC 5321, 4.2).
pub(super) fn read_line(bytes: &[u8]) -> Option<Line> {
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
    Some(Line {
        code,
        more,
        text: readable(text),
    })
}

/// Bytes of a foreign server as one line that can be shown: not all servers write UTF-8, and some write worse.
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

/// What a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be: go on.
    Good,
    /// This person, later.
    Postponed,
    /// This person, never.
    Refused,
    /// The relay takes nothing now: it rests, and nobody is to blame.
    Rests,
    /// Something of ours is wrong: the issue pauses until its author has mended it.
    Ours,
    /// No reply that the protocol knows here: the connection is of no more use.
    Nonsense,
}

/// The table.
pub fn judge(step: Step, answer: &Answer) -> Verdict {
    let personal = matches!(step, Step::Rcpt | Step::Data | Step::Content);
    match (answer.code / 100, step) {
        // 354 is the only good answer to DATA, and good to nothing else (RFC 5321, 4.3.2). AUTH goes on by 334.
        (3, Step::Data) => Verdict::Good,
        (3, Step::Auth) if answer.code == 334 => Verdict::Good,
        (2, Step::Data) | (3, _) => Verdict::Nonsense,
        (2, _) => Verdict::Good,
        (4, _) if personal => Verdict::Postponed,
        (4, _) => Verdict::Rests,
        // RFC 4954, section 6: log in first, or better, or under TLS. Never a person's fault.
        (5, _) if matches!(answer.code, 530 | 534 | 535 | 538) => Verdict::Ours,
        (5, _) if personal => Verdict::Refused,
        (5, _) => Verdict::Ours,
        _ => Verdict::Nonsense,
    }
}

/// What to do about a refusal that is our matter.
pub fn remedy(step: Step, answer: &Answer) -> &'static str {
    match (step, answer.code) {
        _ if wants_tls(answer) => {
            "the relay wants TLS first: set its tls to starttls, or to implicit with the port for that"
        }
        (Step::Auth, _) | (_, 530 | 534 | 535 | 538) => {
            "check username and password of the relay in the settings"
        }
        (Step::Ehlo, 500 | 502 | 504) => {
            "it knows no EHLO, without which there is neither STARTTLS nor a login: set tls and username as it wants them"
        }
        (Step::Greeting | Step::Ehlo | Step::Helo, _) => {
            "the relay does not serve this machine: ask its keeper, or set another relay"
        }
        (Step::Starttls, _) => "the relay refuses TLS: check its port and tls in the settings",
        (Step::Mail, _) if is_too_large(answer) => {
            "shorten the issue, or have the relay's message size limit raised"
        }
        (Step::Mail, 552) => "the relay has no room for the sender's mails: ask its keeper",
        (Step::Mail, _) => {
            "the relay refuses the sender: check from, and bounce_address if set, of the list"
        }
        _ => "ask the relay's keeper what it means",
    }
}

/// Whether a refusal asks for TLS before anything else: 530 of RFC 3207, section 4, whose words alone tell it from the
/// 530 that asks for a login; 538 of RFC 2554, section 6; and the registry's 5.7.10 and 5.7.11.
fn wants_tls(answer: &Answer) -> bool {
    let words = answer.text().to_ascii_lowercase();
    let says_so = || {
        ["starttls", "tls", "encrypt"]
            .iter()
            .any(|word| words.contains(word))
    };
    match answer.code {
        538 => true,
        530 => matches!(answer.enhanced(), Some((5, 7, 10 | 11))) || says_so(),
        _ => false,
    }
}

/// Whether a refusal of a sender, before anybody was named, is about the size that MAIL told: RFC 1870, 6.1 has 552,
/// RFC 3463 has 5.3.4 (the system's limit) and 5.2.3 (an administrative one). All mails of an issue are about as
/// large, so it is no one person's matter.
fn is_too_large(answer: &Answer) -> bool {
    match answer.enhanced() {
        Some((5, 3, 4) | (5, 2, 3)) => true,
        Some(_) => false,
        None => answer.code == 552,
    }
}

/// Whether a refusal tells of the person's address alone (RFC 3463, 3.2: X.1.X), so that many in a row mean
/// nothing but a list of old addresses.
pub(super) fn is_about_address(answer: (u16, Option<(u16, u16, u16)>)) -> bool {
    matches!(answer.1, Some((5, 1, _)))
}

/// Words by which servers say that mails come too quickly, in small letters.
const QUICK: [&str; 12] = [
    "too many",
    "too fast",
    "too quick",
    "rate limit",
    "ratelimit",
    "rate exceeded",
    "unusual rate",
    "throttl",
    "slow down",
    "limit exceeded",
    "exceeded the",
    "unexpected volume",
];
/// Words by which greylisting is known: it asks for a later try of each, not for fewer of all (RFC 6647).
const GREY: [&str; 2] = ["greylist", "graylist"];

/// Whether a temporary refusal says that mails come too quickly, or too many at once.
///
/// RFC 3463 has X.3.2 (the system takes nothing for now), X.4.5 (congestion) and X.7.x (policy); of the last, most is
/// greylisting and the like, so there the words must say it, as they must with no enhanced code. X.2.x is about one
/// mailbox, whatever the words.
pub(super) fn is_too_quick(code: u16, text: &str) -> bool {
    if code / 100 != 4 {
        return false;
    }
    let small = text.to_ascii_lowercase();
    if GREY.iter().any(|word| small.contains(word)) {
        return false;
    }
    let line = Answer {
        code,
        lines: vec![text.get(4..).unwrap_or_default().to_owned()],
    };
    match line.enhanced() {
        Some((_, 2, _)) => false,
        Some((_, 3, 2) | (_, 4, 5)) => true,
        _ => QUICK.iter().any(|word| small.contains(word)),
    }
}

#[cfg(test)]
mod tests;
