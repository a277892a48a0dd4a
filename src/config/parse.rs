//! Readers of single values. Each gives a sentence about what is wrong with a text.

use std::time::Duration;

use crate::delivery::{BOUNCE_ADDRESS_MAX_BYTES, BOUNCE_LOCAL_MAX_BYTES};
use crate::model::Address;
use crate::model::list::Mailbox;
use crate::model::network::Cidr;

/// A duration as people write it: `5m`, `48h`, `1h 30m`, `0s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("“{text}” is no duration such as 30s, 5m, 48h or 1h 30m");
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
pub(super) fn listen(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "“{text}” is no host and port such as 127.0.0.1:8080"
        )),
    }
}

/// A domain's name, as addresses are kept: A-labels in small letters.
pub(super) fn domain(text: &str) -> Result<String, String> {
    match idna::domain_to_ascii(text) {
        Ok(domain) if domain.contains('.') => Ok(domain),
        _ => Err(format!("“{text}” is no domain such as example.org")),
    }
}

/// A host's name or address, alone.
pub(super) fn host(text: &str) -> Result<String, String> {
    let bad = text.is_empty()
        || text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '/');
    if bad {
        Err(format!("“{text}” is no host such as smtp.example.org"))
    } else {
        Ok(text.to_owned())
    }
}

/// An address that links begin with, without the slash at its end.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let bad = |why: &str| Err(format!("“{text}” {why}"));
    let Ok(url) = url::Url::parse(text) else {
        return bad("is no address such as https://letters.example.org");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return bad("does not begin with https:// and a host");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return bad("has more than a host and a path");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A sender: `Akira <news@example.org>`, or the address alone.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
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
        return Err("a name can't hold line breaks or control characters".into());
    }
    Ok(Mailbox {
        name: name.to_owned(),
        address: address_of(address)?,
    })
}

/// A bare address.
pub(super) fn address_of(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|e| format!("“{text}”: {e}"))
}

/// A bare address that stays one when each mail's `+TOKEN` is put into it.
pub(super) fn bounce_address(text: &str) -> Result<Address, String> {
    let address = address_of(text)?;
    let local = address.local().len();
    if local > BOUNCE_LOCAL_MAX_BYTES {
        return Err(format!(
            "“{text}” has {local} bytes before the @, and each mail's +TOKEN leaves room for {BOUNCE_LOCAL_MAX_BYTES}; \
             take a shorter one, such as bounce@{}",
            address.domain()
        ));
    }
    if address.as_str().len() > BOUNCE_ADDRESS_MAX_BYTES {
        return Err(format!(
            "“{text}” is longer than the {BOUNCE_ADDRESS_MAX_BYTES} bytes for which each mail's +TOKEN leaves room; \
             take one at a shorter domain"
        ));
    }
    Ok(address)
}

/// A network such as `10.0.0.0/8`, or a single address.
pub(super) fn network(text: &str) -> Result<Cidr, String> {
    text.trim()
        .parse()
        .map_err(|e: crate::model::network::BadCidr| e.to_string())
}

/// A time zone of the IANA database.
pub(super) fn zone(text: &str) -> Result<jiff::tz::TimeZone, String> {
    jiff::tz::TimeZone::get(text).map_err(|_| {
        let known: Vec<_> = jiff::tz::db().available().collect();
        match crate::format::nearest(text, known.iter().map(|name| name.as_str())) {
            Some(near) => format!("“{text}” is no time zone; did you mean {near}?"),
            None => format!("“{text}” is no time zone such as Europe/Berlin"),
        }
    })
}

/// A language tag that is well enough formed for `lang` (BCP 47): letters, digits and hyphens.
pub(super) fn language(text: &str) -> Result<String, String> {
    let subtag =
        |t: &str| (1..=8).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = text.split('-').next().unwrap_or_default();
    if text.split('-').all(subtag)
        && first.len() >= 2
        && first.bytes().all(|b| b.is_ascii_alphabetic())
    {
        return Ok(text.to_owned());
    }
    Err(format!("“{text}” is no language such as en or zh-Hans"))
}

/// The name of a list, which pages and mails bear.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("the name is empty".into())
    } else {
        Ok(text.to_owned())
    }
}

/// One of the given words.
pub(super) fn choice(text: &str, words: &[&'static str]) -> Result<&'static str, String> {
    words
        .iter()
        .copied()
        .find(|word| *word == text)
        .ok_or_else(|| {
            let near = crate::format::nearest(text, words.iter().copied());
            let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("“{text}” is none of {}{hint}", words.join(", "))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_public_url_is_a_host_and_perhaps_a_path() {
        assert_eq!(
            public_url("https://l.example.org/").as_deref(),
            Ok("https://l.example.org")
        );
        assert_eq!(
            public_url("http://127.0.0.1:8080").as_deref(),
            Ok("http://127.0.0.1:8080")
        );
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
        let said = bounce_address(&format!("b{local}@example.org")).unwrap_err();
        assert!(
            said.contains("24 bytes") && said.contains("such as bounce@example.org"),
            "{said}"
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
                .contains("shorter domain")
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
