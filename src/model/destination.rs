//! Where an address leads from a mail, by its scheme: the one list of schemes that become links, in every part.

/// Schemes that a reader can follow besides `http` and `https`: to write, to talk, to meet, to subscribe, to fetch, to
/// pay. Mostly those that browsers let sites handle (HTML, 8.8.3.1), and those of messengers. Whatever runs code, reads
/// files or drives a program (`javascript`, `data`, `vbscript`, `file`, `ms-…`) is not here and never becomes a link.
const PROGRAMS: [&str; 46] = [
    "bitcoin",
    "callto",
    "ethereum",
    "facetime",
    "facetime-audio",
    "feed",
    "ftp",
    "ftps",
    "gemini",
    "geo",
    "gopher",
    "im",
    "ipfs",
    "ipns",
    "irc",
    "ircs",
    "lightning",
    "magnet",
    "mailto",
    "maps",
    "matrix",
    "mid",
    "mms",
    "mumble",
    "news",
    "nntp",
    "nostr",
    "openpgp4fpr",
    "pcast",
    "podcast",
    "sftp",
    "sgnl",
    "sip",
    "sips",
    "skype",
    "sms",
    "smsto",
    "spotify",
    "tel",
    "tg",
    "threema",
    "webcal",
    "webcals",
    "whatsapp",
    "xmpp",
    "xmpps",
];

/// Where an address leads from a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the web.
    Web,
    /// To a place in the same mail.
    Place,
    /// To another program, such as a calendar or a telephone.
    Program,
    /// Nowhere: it has no scheme, or one that a mail must not lead to.
    Nowhere,
}

impl Destination {
    /// Judges an address by what it begins with, exactly, so that no spelling of `javascript:` slips through.
    ///
    /// ```
    /// use letterpress::model::destination::Destination;
    ///
    /// assert_eq!(Destination::of("webcal://a.example/b.ics"), Destination::Program);
    /// assert_eq!(Destination::of("javascript:alert(1)"), Destination::Nowhere);
    /// ```
    pub fn of(url: &str) -> Destination {
        if url.starts_with('#') {
            return Destination::Place;
        }
        let Some(scheme) = scheme(url) else {
            return Destination::Nowhere;
        };
        let is = |known: &str| known.eq_ignore_ascii_case(scheme);
        if is("https") || is("http") {
            Destination::Web
        } else if PROGRAMS.into_iter().any(is) {
            Destination::Program
        } else {
            Destination::Nowhere
        }
    }

    /// Whether a link leads out of the mail.
    pub fn is_outside(self) -> bool {
        matches!(self, Destination::Web | Destination::Program)
    }
}

/// The scheme of RFC 3986, 3.1: a letter, then letters, digits, `+`, `-`, `.`, up to the colon.
pub fn scheme(url: &str) -> Option<&str> {
    let scheme = &url[..url.find(':')?];
    let good = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    good.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_beginnings_are_clickable() {
        for url in [
            "https://a.example",
            "HTTP://A.example",
            "https:broken",
            "http://[x",
        ] {
            assert_eq!(Destination::of(url), Destination::Web, "{url}");
        }
        for url in [
            "mailto:a@b.example",
            "TEL:+1",
            "sms:+1",
            "webcal://a/b.ics",
            "webcals://a/b.ics",
            "feed:https://a/rss",
            "ftp://a/b",
            "geo:52.5,13.4",
            "xmpp:a@b",
            "tg://resolve?domain=club",
            "sgnl://signal.me/#p/+49301",
        ] {
            assert_eq!(Destination::of(url), Destination::Program, "{url}");
        }
        assert_eq!(Destination::of("#part"), Destination::Place);
        for url in [
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            " javascript:x",
            "java\nscript:x",
            "java\tscript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc",
            "blob:https://a",
            "about:blank",
            "view-source:https://a",
            "ms-word:ofe|u|https://a",
            "search-ms:query=x",
            "intent://a#Intent;end",
            "/path",
            "//host/path",
            "page.html",
            "",
            ":",
            "ｈttps://x",
            "é",
        ] {
            assert_eq!(Destination::of(url), Destination::Nowhere, "{url}");
        }
    }
}
