//! The URLs of an author's links: which of them a reader can click, and where bare ones stand in text.
//!
//! URLs are kept byte for byte. One that can't be clicked is shown as text after its words. Which schemes can is said
//! in `model::destination`.

use crate::model::destination::{Destination, scheme};

/// What becomes of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlKind {
    /// Becomes a link.
    Clickable,
    /// Becomes a link although it looks broken: http(s) without a host, or with an impossible one.
    Malformed,
    /// Becomes text: its scheme is not one for a mail.
    OtherScheme,
    /// Becomes text: it is relative, and a mail has nothing that it could be relative to.
    Relative,
    /// There is none.
    Empty,
}

/// Says what becomes of a URL as the author wrote it.
pub(super) fn classify(url: &str) -> UrlKind {
    let url = url.trim();
    if url.is_empty() {
        return UrlKind::Empty;
    }
    let after_scheme = scheme(url).map(|scheme| &url[scheme.len() + 1..]);
    match (Destination::of(url), after_scheme) {
        (Destination::Nowhere, None) => UrlKind::Relative,
        (Destination::Nowhere, Some(_)) => UrlKind::OtherScheme,
        (Destination::Web, Some(rest)) if !whole(rest, url) => UrlKind::Malformed,
        _ => UrlKind::Clickable,
    }
}

/// Whether a web address has its two slashes, a host, and no white space.
fn whole(rest: &str, url: &str) -> bool {
    rest.starts_with("//")
        && !rest[2..].starts_with(['/', '?', '#'])
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
        && url::Url::parse(url).is_ok_and(|u| u.has_host())
}

/// The host of a web address as a reader names it, such as `arxiv.org`; empty where there is none.
pub(super) fn host(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else {
        return "";
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// A run of text, or a bare web address in it.
#[derive(Debug, PartialEq)]
pub(super) enum TextRun<'t> {
    /// Ordinary text.
    Text(&'t str),
    /// A web address.
    Bare(&'t str),
}

/// Finds the web addresses in a text that are not written as links. `goes_on`: the text is followed by something that
/// could belong to an address at its end, so such an address is left as text.
pub(super) fn bare(text: &str, goes_on: bool) -> Vec<TextRun<'_>> {
    let mut runs = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some(start) = next_start(text, from) {
        let whole = &text[start..];
        let stop = whole.find(ends_address).unwrap_or(whole.len());
        let length = trim_end(&whole[..stop]);
        let slashes = whole.find("://").map_or(0, |at| at + 3);
        let hostless = !whole[slashes..length.max(slashes)]
            .starts_with(|c: char| c.is_alphanumeric() || c == '[');
        from = start + slashes;
        if hostless || (goes_on && start + stop == text.len()) {
            continue;
        }
        if done < start {
            runs.push(TextRun::Text(&text[done..start]));
        }
        runs.push(TextRun::Bare(&whole[..length]));
        done = start + length;
        from = done;
    }
    if done < text.len() {
        runs.push(TextRun::Text(&text[done..]));
    }
    runs
}

/// Where the next `http://` or `https://` begins that does not stand within a word.
fn next_start(text: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let colon = from + text.get(from..)?.find("://")?;
        for scheme in ["https", "http"] {
            let Some(start) = colon.checked_sub(scheme.len()) else {
                continue;
            };
            let here = text
                .get(start..colon)
                .is_some_and(|s| s.eq_ignore_ascii_case(scheme));
            if here && !text[..start].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                return Some(start);
            }
        }
        from = colon + 3;
    }
}

/// Characters that end a bare address: spaces, brackets and quotation marks of prose, East Asian text.
pub(super) fn ends_address(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
        || matches!(c, '\u{2000}'..='\u{206F}' | '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}'
            | '\u{AC00}'..='\u{D7FF}' | '\u{E000}'..='\u{FAFF}' | '\u{FE10}'..='\u{FE6F}' | '\u{FF00}'..)
}

/// The length of an address without the punctuation of the sentence around it. A closing bracket belongs
/// to the address only where its opening one does.
pub(super) fn trim_end(url: &str) -> usize {
    let surplus = |open: char, close: char| {
        url.matches(close)
            .count()
            .saturating_sub(url.matches(open).count())
    };
    let (mut round, mut square) = (surplus('(', ')'), surplus('[', ']'));
    let kept = url.trim_end_matches(|last: char| {
        let spare = match last {
            ')' => &mut round,
            ']' => &mut square,
            _ => return ".,;:!?'*_~".contains(last),
        };
        let cut = *spare > 0;
        *spare = spare.saturating_sub(1);
        cut
    });
    kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_schemes_for_a_mail_are_clickable() {
        for url in [
            "https://a.example",
            "HTTP://A",
            "mailto:a@b.example",
            "tel:+1",
            "#part",
            "ftp://a/b",
        ] {
            assert_eq!(classify(url), UrlKind::Clickable, "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "data:text/html,x",
            "JaVaScRiPt:x",
            "vbscript:x",
            "file:///etc",
            "htps://x",
        ] {
            assert_eq!(classify(url), UrlKind::OtherScheme, "{url}");
        }
        for url in [
            "a.md",
            "/a",
            "//host/a",
            "www.example.com/x",
            "link to issue",
            "java\tscript:x",
        ] {
            assert_eq!(classify(url), UrlKind::Relative, "{url}");
        }
        for url in [
            "http:/one.example",
            "https://",
            "http:///x",
            "https://exa mple.org",
            "http:x",
        ] {
            assert_eq!(classify(url), UrlKind::Malformed, "{url}");
        }
        assert_eq!(classify(" "), UrlKind::Empty);
    }

    fn links(text: &str) -> Vec<&str> {
        bare(text, false)
            .into_iter()
            .filter_map(|r| {
                if let TextRun::Bare(u) = r {
                    Some(u)
                } else {
                    None
                }
            })
            .collect()
    }

    #[test]
    fn a_bare_address_ends_where_a_reader_would_end_it() {
        assert_eq!(
            links("见https://a.example/路。这里"),
            ["https://a.example/"]
        );
        assert_eq!(
            links("(see http://a.example/x_(y)), and HTTP://b.example."),
            ["http://a.example/x_(y)", "HTTP://b.example"]
        );
        assert_eq!(
            links("https://[2001:db8::1]:80/x, “http://c.example”"),
            ["https://[2001:db8::1]:80/x", "http://c.example"]
        );
        assert_eq!(
            links("http:// and xhttp://a.example and https://?"),
            [] as [&str; 0]
        );
        assert_eq!(
            bare("at http://a.example/", true),
            [TextRun::Text("at http://a.example/")]
        );
    }

    proptest::proptest! {
        #[test]
        fn finding_addresses_never_changes_the_text(text in "(\\PC|https?://|http|[ .()]|:|/){0,40}", goes_on: bool) {
            let whole: String = bare(&text, goes_on)
                .into_iter()
                .map(|r| match r { TextRun::Text(t) | TextRun::Bare(t) => t })
                .collect();
            proptest::prop_assert_eq!(whole, text);
        }
    }
}
