//! What a server offers in its reply to EHLO (RFC 5321, section 4.1.1.1), as far as the client makes use of it. Pure.

use super::reply::Reply;

/// The extensions that a server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// PIPELINING (RFC 2920): commands may follow each other without waiting.
    pub pipelining: bool,
    /// SIZE (RFC 1870): MAIL may declare the size of the mail.
    pub size: bool,
    /// SMTPUTF8 (RFC 6531): addresses and headers beyond ASCII.
    pub smtputf8: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// AUTH PLAIN (RFC 4954, RFC 4616).
    pub auth_plain: bool,
    /// AUTH LOGIN, an older mechanism that is all some servers know.
    pub auth_login: bool,
}

impl Capabilities {
    /// Reads them from the reply's lines after the first, which greets. Unknown ones are ignored.
    pub fn read(ehlo: &Reply) -> Capabilities {
        let mut all = Capabilities::default();
        for line in ehlo.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            // `AUTH=LOGIN` is how servers wrote it before the standard.
            let mut words = line.split([' ', '=', '\t']).filter(|word| !word.is_empty());
            match words.next() {
                Some("PIPELINING") => all.pipelining = true,
                Some("SIZE") => all.size = true,
                Some("SMTPUTF8") => all.smtputf8 = true,
                Some("STARTTLS") => all.starttls = true,
                Some("AUTH") => {
                    for mechanism in words {
                        all.auth_plain |= mechanism == "PLAIN";
                        all.auth_login |= mechanism == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Capabilities {
        Capabilities::read(&Reply::new(
            250,
            lines.iter().map(|&l| l.to_owned()).collect(),
        ))
    }

    #[test]
    fn extensions_are_read_in_any_case_and_order() {
        let all = read(&[
            "mx.example",
            "size 1000",
            "PIPELINING",
            "auth=LOGIN PLAIN",
            "X-NEW a",
            "StartTLS",
            "SMTPUTF8",
        ]);
        assert!(
            all.pipelining
                && all.size
                && all.smtputf8
                && all.starttls
                && all.auth_plain
                && all.auth_login
        );
    }

    #[test]
    fn a_servers_name_is_no_extension() {
        assert_eq!(read(&["PIPELINING"]), Capabilities::default());
        assert_eq!(
            read(&["x", "", "PIPELINING-NOT", "AUTH CRAM-MD5"]),
            Capabilities::default()
        );
    }
}
