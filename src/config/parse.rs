//! Readers of single values. Each says what is wrong with a text, and what to write instead.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::zones;
use crate::delivery::{BOUNCE_ADDRESS_MAX_BYTES, BOUNCE_LOCAL_MAX_BYTES, dkim_signs};
use crate::model::Address;
use crate::model::list::Mailbox;
use crate::model::network::Cidr;

/// Why a text can't be a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadValue {
    /// What is wrong: a sentence without a full stop.
    pub what: String,
    /// What to write instead, in whole sentences; `None`: what the setting is for says it.
    pub help: Option<String>,
}

impl BadValue {
    /// A text that is not what it should be.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: None,
        }
    }

    /// Adds what to write instead.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

impl From<String> for BadValue {
    fn from(what: String) -> Self {
        Self::new(what)
    }
}

/// A duration as people write it: `5m`, `48h`, `1h 30m`, `0s`.
pub(super) fn duration(text: &str) -> Result<Duration, BadValue> {
    let bad = || {
        BadValue::new(format!(
            "“{text}” is not a duration such as 30s, 5m, 48h or 1h 30m"
        ))
    };
    let mut seconds: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            _ => return Err(bad()),
        };
        seconds = number
            .checked_mul(unit)
            .and_then(|n| seconds.checked_add(n))
            .ok_or_else(bad)?;
        rest = rest[letters..].trim_start();
    }
    // Beyond a hundred years, sums with a clock would overflow.
    if seconds > 100 * 366 * 86_400 {
        Err(bad())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

/// Host and port to listen on.
pub(super) fn listen(text: &str) -> Result<String, BadValue> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(BadValue::new(format!(
            "“{text}” is not a host and port such as 127.0.0.1:8080"
        ))),
    }
}

/// A domain's name, as addresses are kept: A-labels in small letters.
pub(super) fn domain(text: &str) -> Result<String, BadValue> {
    match idna::domain_to_ascii(text) {
        Ok(domain) if domain.contains('.') => Ok(domain),
        _ => Err(BadValue::new(format!(
            "“{text}” is not a domain such as example.org"
        ))),
    }
}

/// A host's name or address, alone. An IPv6 address may stand in brackets.
pub(super) fn host(text: &str) -> Result<String, BadValue> {
    let text = text.trim();
    if let Some((host, port)) = with_port(text) {
        return Err(
            BadValue::new(format!("“{text}” is a host and a port")).help(format!(
                "Write host = \"{host}\" and port = {port}, each on its own line."
            )),
        );
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let bare = bare.filter(|text| text.parse::<Ipv6Addr>().is_ok());
    let host = bare.unwrap_or(text);
    let is_address = host.parse::<Ipv6Addr>().is_ok();
    let bad = host.is_empty()
        || host
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "/[]@\"".contains(c))
        || host.contains(':') && !is_address && !host.contains('%');
    if bad {
        let help = match url::Url::parse(text)
            .ok()
            .as_ref()
            .and_then(url::Url::host_str)
        {
            Some(name) if text.contains("://") => format!("Write the name alone: \"{name}\"."),
            _ => "Write the name or the address alone, without a port.".to_owned(),
        };
        Err(BadValue::new(format!("“{text}” is not a host such as smtp.example.org")).help(help))
    } else {
        Ok(host.to_owned())
    }
}

/// Host and port, where a text has both: `localhost:2525`, `[::1]:25`.
fn with_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(|_| (bare, port)),
        None => (!host.is_empty() && !host.contains([':', '/', '@'])).then_some((host, port)),
    }
}

/// A name for EHLO (RFC 5321, section 4.1.2): a domain of at least two labels, or an address in brackets.
pub(super) fn ehlo_name(text: &str) -> Result<String, BadValue> {
    let text = text.trim();
    let literal = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Some(literal) = literal {
        let is_address = match literal.strip_prefix("IPv6:") {
            Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        };
        if is_address {
            return Ok(text.to_owned());
        }
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match idna::domain_to_ascii(text) {
        Ok(domain)
            if domain.contains('.')
                && domain.len() <= 253
                && domain.split('.').all(is_label)
                && text.parse::<IpAddr>().is_err() =>
        {
            Ok(domain)
        }
        _ => Err(
            BadValue::new(format!("“{text}” is not a full name such as mail.example.org")).help(
                "Write a name of this machine that DNS knows, or its address in brackets, such as [192.0.2.1].",
            ),
        ),
    }
}

/// The name of a header that is left out of DKIM signatures.
pub(super) fn unsigned_header(text: &str) -> Result<String, BadValue> {
    let name = text.trim().trim_end_matches(':');
    if name.eq_ignore_ascii_case("From") {
        return Err(BadValue::new("From can't be left out of a signature")
            .help("Remove it. Of a relay that rewrites From, use one of your own domain."));
    }
    if dkim_signs(name) {
        return Ok(name.to_owned());
    }
    Err(
        BadValue::new(format!("“{name}” is not among the headers that are signed"))
            .help("Remove it, or correct its name: such as Message-ID or Date."),
    )
}

/// An address that links begin with, without the slash at its end.
pub(super) fn public_url(text: &str) -> Result<String, BadValue> {
    let bad = |why: &str| Err(BadValue::new(format!("“{text}” {why}")));
    let Ok(url) = url::Url::parse(text) else {
        return bad("is not a URL such as https://letters.example.org");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return bad("must begin with https:// and a host");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return bad("may only have a host and a path");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A site as browsers name it in `Origin` (scheme, host, and port where it is unusual), or `*` for all.
pub(super) fn origin(text: &str) -> Result<String, BadValue> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let bad = |why: &str| {
        Err(BadValue::new(format!("“{text}” {why}")).help("Write it as https://blog.example.org."))
    };
    let Ok(url) = url::Url::parse(text) else {
        return bad("is not a site such as https://blog.example.org");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return bad("must begin with https:// and a host");
    }
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() || text.contains('*') {
        return bad("may only have a host and a port: a site is listed as a whole");
    }
    Ok(url.origin().ascii_serialization())
}

/// A sender: `Akira <news@example.org>`, or the address alone.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, BadValue> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
        Some((name, address)) => (name.trim(), address),
        None => ("", text),
    };
    let name = name
        .strip_prefix('"')
        .and_then(|n| n.strip_suffix('"'))
        .unwrap_or(name);
    if name.chars().any(char::is_control) {
        return Err(BadValue::new(
            "a name can't have line breaks or control characters",
        ));
    }
    Ok(Mailbox {
        name: name.to_owned(),
        address: address_of(address)?,
    })
}

/// A bare address.
pub(super) fn address_of(text: &str) -> Result<Address, BadValue> {
    Address::parse(text).map_err(|e| BadValue::new(format!("“{text}”: {e}")))
}

/// A bare address that stays one when each mail's `+TOKEN` is put into it.
pub(super) fn bounce_address(text: &str) -> Result<Address, BadValue> {
    let address = address_of(text)?;
    let local = address.local().len();
    if local > BOUNCE_LOCAL_MAX_BYTES {
        let what =
            format!("“{text}” has {local} bytes before the @, which leaves no room for +TOKEN");
        return Err(BadValue::new(what).help(format!(
            "At most {BOUNCE_LOCAL_MAX_BYTES} bytes fit, such as bounce@{}.",
            address.domain()
        )));
    }
    if address.as_str().len() > BOUNCE_ADDRESS_MAX_BYTES {
        let what = format!(
            "“{text}” is longer than {BOUNCE_ADDRESS_MAX_BYTES} bytes, which leaves no room for +TOKEN"
        );
        return Err(BadValue::new(what).help("Use an address with a shorter domain."));
    }
    Ok(address)
}

/// A network such as `10.0.0.0/8`, or a single address.
pub(super) fn network(text: &str) -> Result<Cidr, BadValue> {
    text.trim()
        .parse()
        .map_err(|e: crate::model::network::BadCidr| BadValue::new(e.to_string()))
}

/// A time zone of the IANA database.
pub(super) fn zone(text: &str) -> Result<jiff::tz::TimeZone, BadValue> {
    jiff::tz::TimeZone::get(text).map_err(|_| {
        let bad = BadValue::new(format!("“{text}” is not a time zone such as Europe/Berlin"));
        match zones::meant(text) {
            Some(help) => bad.help(help),
            None => bad.help(
                "Write a name of the IANA time zone database: a continent and a city, or UTC.",
            ),
        }
    })
}

/// A language tag that is well enough formed for `lang` (BCP 47): letters, digits and hyphens.
pub(super) fn language(text: &str) -> Result<String, BadValue> {
    let subtag =
        |t: &str| (1..=8).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = text.split('-').next().unwrap_or_default();
    if text.split('-').all(subtag)
        && first.len() >= 2
        && first.bytes().all(|b| b.is_ascii_alphabetic())
    {
        return Ok(text.to_owned());
    }
    Err(BadValue::new(format!(
        "“{text}” is not a language such as en or zh-Hans"
    )))
}

/// The name of a list, which pages and mails bear.
pub(super) fn name(text: &str) -> Result<String, BadValue> {
    if text.trim().is_empty() {
        Err(BadValue::new("the name is empty"))
    } else {
        Ok(text.to_owned())
    }
}

/// One of the given words.
pub(super) fn choice(text: &str, words: &[&'static str]) -> Result<&'static str, BadValue> {
    words
        .iter()
        .copied()
        .find(|word| *word == text)
        .ok_or_else(|| {
            let bad = BadValue::new(format!("“{text}” is none of {}", words.join(", ")));
            match crate::format::nearest(text, words.iter().copied()) {
                Some(near) => bad.help(format!("Did you mean {near}?")),
                None => bad,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, origin) in [
            ("https://blog.example.org", "https://blog.example.org"),
            ("https://Blog.Example.org/", "https://blog.example.org"),
            ("https://blog.example.org:443", "https://blog.example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("*", "*"),
        ] {
            assert_eq!(super::origin(text).unwrap(), origin, "{text}");
        }
        for bad in [
            "",
            "blog.example.org",
            "https://",
            "ftp://blog.example.org",
            "https://blog.example.org/page",
            "https://blog.example.org/?q",
            "https://me@blog.example.org",
            "https://*.example.org",
            "null",
        ] {
            assert!(super::origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        let seconds = |text: &str| duration(text).map(|d| d.as_secs()).ok();
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("48h"), Some(172_800));
        assert_eq!(seconds("1h 30m"), Some(5400));
        assert_eq!(seconds("2 days"), Some(172_800));
        assert_eq!(seconds("0s"), Some(0));
        for bad in [
            "",
            "5",
            "m",
            "-5m",
            "5 parsecs",
            "1.5h",
            "99999999999999999999s",
            "9999999d",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_host_stands_alone() {
        for (text, read) in [
            ("smtp.example.org", "smtp.example.org"),
            (" localhost ", "localhost"),
            ("[::1]", "::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(host(text).unwrap(), read);
        }
        let help = |text: &str| host(text).unwrap_err().help.unwrap();
        assert!(help("localhost:2525").contains("host = \"localhost\" and port = 2525"));
        assert!(help("[::1]:25").contains("host = \"::1\" and port = 25"));
        assert!(help("smtp://smtp.example.org").contains("\"smtp.example.org\""));
        for bad in [
            "",
            "a b",
            "[smtp.example.org]",
            "u@smtp.example.org",
            "a/b",
            "::1::",
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_for_ehlo_is_a_full_one_or_a_literal() {
        for good in ["mail.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert_eq!(ehlo_name(good).unwrap(), good);
        }
        assert_eq!(
            ehlo_name("mail.bücher.example").unwrap(),
            "mail.xn--bcher-kva.example"
        );
        for bad in [
            "",
            "laptop",
            "192.0.2.1",
            "[laptop]",
            "a b.example",
            "a..b",
            "-a.b",
            "a.b\r\nQUIT",
        ] {
            assert!(ehlo_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_is_a_host_and_perhaps_a_path() {
        let read = |text| public_url(text).unwrap();
        assert_eq!(read("https://l.example.org/"), "https://l.example.org");
        assert_eq!(read("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        for bad in [
            "l.example.org",
            "ftp://l.example.org",
            "https://l.example.org/?a=1",
            "https://u@l.example.org",
        ] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sender_has_a_name_or_none() {
        let named = mailbox("\"Q, Quote\" <News@Example.org>").unwrap();
        assert_eq!(
            (named.name.as_str(), named.address.as_str()),
            ("Q, Quote", "News@example.org")
        );
        assert_eq!(mailbox("news@example.org").unwrap().name, "");
        assert!(mailbox("Akira news@example.org").is_err());
        assert!(mailbox("A\r\nBcc: x <news@example.org>").is_err());
    }

    #[test]
    fn a_bounce_address_has_room_for_a_token() {
        let local = "b".repeat(BOUNCE_LOCAL_MAX_BYTES);
        assert!(bounce_address(&format!("{local}@example.org")).is_ok());
        let bad = bounce_address(&format!("b{local}@example.org")).unwrap_err();
        let help = bad.help.unwrap();
        assert!(
            bad.what.contains("24 bytes") && help.contains("such as bounce@example.org"),
            "{} {help}",
            bad.what
        );
        // Two bytes a letter.
        assert!(bounce_address(&format!("{}@example.org", "ü".repeat(12))).is_err());
        let domain = [
            "d".repeat(63),
            "d".repeat(63),
            "d".repeat(63),
            "example".into(),
        ]
        .join(".");
        assert!(bounce_address(&format!("bounces@{domain}")).is_ok());
        assert!(
            bounce_address(&format!("{local}@{domain}"))
                .unwrap_err()
                .help
                .is_some_and(|help| help.contains("shorter domain"))
        );
    }

    #[test]
    fn a_language_is_a_tag() {
        assert!(language("zh-Hans").is_ok() && language("en").is_ok());
        assert!(language("").is_err() && language("english!").is_err() && language("e").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC{0,30}") {
            let _ = (duration(&text), listen(&text), public_url(&text), mailbox(&text), network(&text), language(&text));
        }
    }
}
