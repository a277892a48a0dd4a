//! Logging in (RFC 4954): which command comes next, whatever a server makes of PLAIN and LOGIN. Pure.
//!
//! PLAIN (RFC 4616) goes first, with its response in the command and, where a server refuses that, behind it. LOGIN
//! follows where a server refuses PLAIN as a mechanism. A password that is refused is not tried a second time by
//! another mechanism: servers count such tries and lock accounts.

use super::ehlo::Capabilities;
use super::reply::Reply;

/// The line that gives a login up (RFC 4954, section 4).
pub(super) const CANCEL: &str = "*\r\n";

/// What a login comes to after a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this line and read the reply.
    Send(String),
    /// Logged in.
    Done,
    /// The server refuses: the reply that tells most about it.
    Refused(Reply),
    /// The server asks for more than a name and a password; [`CANCEL`] ends it.
    Unknown,
}

/// A login on its way.
#[derive(Debug)]
pub(super) struct Auth {
    username: String,
    password: String,
    offers_login: bool,
    step: Step,
    /// What the server said to PLAIN, where LOGIN is tried after it.
    refusal: Option<Reply>,
}

/// What was sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// AUTH PLAIN with its response.
    PlainWhole,
    /// AUTH PLAIN alone.
    PlainAlone,
    /// The response of PLAIN.
    PlainResponse,
    /// AUTH LOGIN.
    Login,
    /// The name, for LOGIN.
    Name,
    /// The password, for LOGIN.
    Password,
}

impl Auth {
    /// Begins with the first line to send; `None`: the server offers neither PLAIN nor LOGIN.
    pub(super) fn begin(
        offered: Capabilities,
        username: &str,
        password: &str,
    ) -> Option<(Auth, String)> {
        let step = match offered {
            _ if offered.auth_plain => Step::PlainWhole,
            _ if offered.auth_login => Step::Login,
            _ => return None,
        };
        let auth = Auth {
            username: username.to_owned(),
            password: password.to_owned(),
            offers_login: offered.auth_login,
            step,
            refusal: None,
        };
        let line = match step {
            Step::PlainWhole => format!("AUTH PLAIN {}\r\n", auth.plain()),
            _ => "AUTH LOGIN\r\n".to_owned(),
        };
        Some((auth, line))
    }

    /// What a reply leads to.
    pub(super) fn next(&mut self, reply: &Reply) -> Next {
        match (self.step, reply.code) {
            (_, 200..300) => Next::Done,
            // Servers without initial responses ask for it, whether they saw it or not.
            (Step::PlainWhole | Step::PlainAlone, 334) => {
                let line = format!("{}\r\n", self.plain());
                self.send(Step::PlainResponse, line)
            }
            // What a server calls the name and the password differs; they come in this order.
            (Step::Login, 334) => {
                let line = format!("{}\r\n", encoded(&self.username));
                self.send(Step::Name, line)
            }
            (Step::Name, 334) => {
                let line = format!("{}\r\n", encoded(&self.password));
                self.send(Step::Password, line)
            }
            (_, 300..400) => Next::Unknown,
            (Step::PlainWhole | Step::PlainAlone | Step::PlainResponse, 500..)
                if is_about_mechanism(reply) =>
            {
                self.another(reply)
            }
            // Its mechanism is not there after all: what it said to PLAIN tells more.
            (Step::Login, 500..) if is_about_mechanism(reply) => self.refused(reply),
            _ => Next::Refused(reply.clone()),
        }
    }

    /// What is to be said where the server hangs up: its refusal before, if there was one.
    pub(super) fn refusal(&self) -> Option<&Reply> {
        self.refusal.as_ref()
    }

    /// The server refuses PLAIN in this form.
    fn another(&mut self, reply: &Reply) -> Next {
        let known = self.refusal.get_or_insert_with(|| reply.clone());
        // Most often the response in the command is what is refused; 534 and 535 are about the mechanism itself.
        if self.step == Step::PlainWhole && !matches!(known.code, 534 | 535) {
            return self.send(Step::PlainAlone, "AUTH PLAIN\r\n".to_owned());
        }
        if self.offers_login {
            return self.send(Step::Login, "AUTH LOGIN\r\n".to_owned());
        }
        self.refused(reply)
    }

    fn refused(&self, reply: &Reply) -> Next {
        Next::Refused(self.refusal.as_ref().unwrap_or(reply).clone())
    }

    fn send(&mut self, step: Step, line: String) -> Next {
        self.step = step;
        Next::Send(line)
    }

    /// The response of PLAIN: no authorization identity, the name, the password.
    fn plain(&self) -> String {
        encoded(&format!("\0{}\0{}", self.username, self.password))
    }
}

fn encoded(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

/// Words by which servers say that they don't know or don't want a mechanism, in lower case.
const OF_MECHANISMS: [&str; 9] = [
    "mechanism",
    "authentication type",
    "auth type",
    "not supported",
    "unsupported",
    "not implemented",
    "unimplemented",
    "unrecognized",
    "not allowed",
];
/// Words by which servers say that a name or a password is wrong or not accepted, in lower case.
const OF_CREDENTIALS: [&str; 11] = [
    "password",
    "credential",
    "username",
    "user name",
    "authentication failed",
    "authentication unsuccessful",
    "authentication failure",
    "authentication fails",
    "login fail",
    "log in",
    "browser",
];

/// Whether a refusal is about the mechanism, and not about the name and the password. By the code (RFC 4954, sections
/// 4 and 6) where it says so, else by the words.
fn is_about_mechanism(reply: &Reply) -> bool {
    let words = reply.text().to_ascii_lowercase();
    let names = |known: &[&str]| known.iter().any(|word| words.contains(word));
    match reply.code {
        // First TLS, or first something else: another mechanism changes nothing.
        530 | 538 => false,
        500..=504 => true,
        535 => names(&OF_MECHANISMS) && !names(&["password", "credential"]),
        _ => !names(&OF_CREDENTIALS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A login against these replies: every line that was sent, decoded, and how it ended.
    fn login(mechanisms: &str, replies: &[&str]) -> (Vec<String>, Next) {
        let ehlo = Reply::new(250, vec!["x".into(), format!("AUTH {mechanisms}")]);
        let Some((mut auth, first)) =
            Auth::begin(Capabilities::read(&ehlo), "akira", "open sesame")
        else {
            return (vec![], Next::Unknown);
        };
        let mut sent = vec![first];
        for reply in replies {
            let (code, text) = reply.split_once(' ').unwrap();
            match auth.next(&Reply::new(code.parse().unwrap(), vec![text.into()])) {
                Next::Send(line) => sent.push(line),
                end => return (sent.iter().map(|line| shown(line)).collect(), end),
            }
        }
        panic!("it goes on after {replies:?}: {sent:?}");
    }

    /// A line with what is encoded in it in clear.
    fn shown(line: &str) -> String {
        let words = line.trim_end().split(' ').map(|word| {
            let clear = data_encoding::BASE64.decode(word.as_bytes()).ok();
            let clear = clear.and_then(|bytes| String::from_utf8(bytes).ok());
            clear
                .filter(|_| word != "AUTH")
                .map_or_else(|| word.to_owned(), |clear| clear.replace('\0', "|"))
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn sent(mechanisms: &str, replies: &[&str]) -> String {
        let (sent, end) = login(mechanisms, replies);
        let end = match end {
            Next::Done => "in".to_owned(),
            Next::Refused(reply) => reply.text(),
            Next::Unknown => "?".to_owned(),
            Next::Send(_) => unreachable!(),
        };
        format!("{} -> {end}", sent.join(", "))
    }

    const PLAIN: &str = "AUTH PLAIN |akira|open sesame";

    #[test]
    fn plain_goes_in_one_command_or_in_two() {
        assert_eq!(sent("LOGIN PLAIN", &["235 ok"]), format!("{PLAIN} -> in"));
        for asks in ["334 ", "334 go on"] {
            assert_eq!(
                sent("PLAIN", &[asks, "235 ok"]),
                format!("{PLAIN}, |akira|open sesame -> in")
            );
        }
        for refuses in [
            "501 5.5.2 no initial response",
            "504 5.5.4 parameter",
            "500 line",
        ] {
            assert_eq!(
                sent("PLAIN LOGIN", &[refuses, "334 ", "235 ok"]),
                format!("{PLAIN}, AUTH PLAIN, |akira|open sesame -> in")
            );
        }
    }

    #[test]
    fn login_follows_where_plain_is_refused_as_a_mechanism() {
        let by_login = "AUTH LOGIN, akira, open sesame -> in";
        let ends = ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"];
        for refuses in [
            "504 5.7.4 Unrecognized authentication type",
            "503 5.5.1 not now",
            "550 5.7.1 PLAIN is off",
        ] {
            let replies: Vec<&str> = [refuses, refuses].into_iter().chain(ends).collect();
            assert_eq!(
                sent("PLAIN LOGIN", &replies),
                format!("{PLAIN}, AUTH PLAIN, {by_login}")
            );
            assert_eq!(
                sent("PLAIN", &[refuses, "504 no"]),
                format!("{PLAIN}, AUTH PLAIN -> {refuses}"),
                "there is no other"
            );
        }
        for refuses in [
            "534 5.7.9 Authentication mechanism is too weak",
            "535 5.7.8 this mechanism is not supported",
        ] {
            let replies: Vec<&str> = [refuses].into_iter().chain(ends).collect();
            assert_eq!(
                sent("PLAIN LOGIN", &replies),
                format!("{PLAIN}, {by_login}")
            );
        }
    }

    #[test]
    fn prompts_of_login_may_say_anything() {
        for (first, second) in [
            ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"),
            ("334 User:", "334 Pass:"),
            ("334 ", "334 "),
            ("334 UGFzc3dvcmQ6", "334 VXNlcm5hbWU6"),
        ] {
            assert_eq!(
                sent("LOGIN", &[first, second, "235 ok"]),
                "AUTH LOGIN, akira, open sesame -> in"
            );
        }
        assert_eq!(
            sent("LOGIN", &["334 ", "334 ", "334 and the code"]),
            "AUTH LOGIN, akira, open sesame -> ?"
        );
    }

    #[test]
    fn a_wrong_password_is_tried_once() {
        for wrong in [
            "535 5.7.8 Error: authentication failed:",
            "535 5.7.8 Username and Password not accepted",
            "534 5.7.9 Application-specific password required",
            "534 5.7.14 Please log in with your web browser",
            "550 5.7.1 authentication failed",
            "454 4.7.0 Temporary authentication failure",
            "530 5.7.0 Must issue a STARTTLS command first",
        ] {
            assert_eq!(sent("PLAIN LOGIN", &[wrong]), format!("{PLAIN} -> {wrong}"));
        }
        assert_eq!(
            sent(
                "PLAIN LOGIN",
                &["504 no", "504 no", "334 ", "334 ", "535 wrong"]
            ),
            format!("{PLAIN}, AUTH PLAIN, AUTH LOGIN, akira, open sesame -> 535 wrong")
        );
    }

    #[test]
    fn other_mechanisms_are_not_known() {
        assert_eq!(login("CRAM-MD5 XOAUTH2", &[]).1, Next::Unknown);
    }
}
