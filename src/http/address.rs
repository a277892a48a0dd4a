//! The addresses of our links as they come back: with the prefix of `public_url` or without it, and with what mail
//! programs hang on them.
//!
//! A proxy may or may not remove the path of `public_url` before it hands a request on; both are served. Links out of
//! mails arrive with doubled slashes, in another case, and with brackets, quotes, spaces and full stops around the token.
//! Here such an address is brought into the form that the routes know; which part of it is the token is `link`'s to say.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

/// The pages behind signed links.
const LINK_PAGES: [&str; 3] = ["confirm", "unsubscribe", "undo"];
/// What the other addresses begin with.
const PAGES: [&str; 5] = ["", "healthz", "subscribe", "media", "icon.svg"];
const STYLE: &str = "style-";
/// A longer rest of a path holds no token.
const REST_MAX_BYTES: usize = 1024;

/// The address that the routes know. `base` is the path of `public_url`, without a slash at its end.
pub(super) fn known(uri: &Uri, base: &str) -> Option<Uri> {
    let path = uri.path();
    let known = link(path, base).or_else(|| without(path, base))?;
    let target = match uri.query() {
        Some(query) => format!("{known}?{query}"),
        None => known,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// A path without the prefix, where it has it, and leads to one of our pages behind it.
fn without(path: &str, base: &str) -> Option<String> {
    if base.is_empty() {
        return None;
    }
    let rest = path.strip_prefix(base)?;
    let (first, is_whole) = match rest.strip_prefix('/') {
        Some(rest) => (rest.split('/').next().unwrap_or_default(), false),
        None => (rest, rest.is_empty()),
    };
    // `/subscribe` below `https://example.org/subscribe` is the page, whose prefix a proxy removed.
    let is_page = PAGES.contains(&base.trim_start_matches('/'));
    if is_whole {
        return (!is_page).then(|| "/".to_owned());
    }
    (PAGES.contains(&first) || first.starts_with(STYLE)).then(|| rest.to_owned())
}

/// A path to a page behind a signed link, with all that follows as one segment.
fn link(path: &str, base: &str) -> Option<String> {
    let mut whole = path.split('/').filter(|part| !part.is_empty()).peekable();
    let mut rest = whole.clone();
    let is_below = base
        .split('/')
        .filter(|part| !part.is_empty())
        .all(|part| rest.next().is_some_and(|of| of.eq_ignore_ascii_case(part)));
    let page = |part: &str| {
        LINK_PAGES
            .into_iter()
            .find(|page| page.eq_ignore_ascii_case(part))
    };
    let parts = if is_below && rest.peek().is_some_and(|part| page(part).is_some()) {
        &mut rest
    } else {
        &mut whole
    };
    let page = page(parts.next()?)?;
    let written: Vec<&str> = parts.collect();
    let written = written.join("/");
    if written.is_empty() || written.len() > REST_MAX_BYTES {
        return None;
    }
    Some(format!(
        "/{page}/{}",
        escaped(&percent_decode_str(&written).decode_utf8_lossy())
    ))
}

/// A text as one segment of a path.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_path(path: &str, base: &str) -> String {
        let uri: Uri = path.parse().unwrap();
        known(&uri, base).map_or_else(|| path.to_owned(), |uri| uri.to_string())
    }

    #[test]
    fn the_prefix_may_be_there_or_not() {
        for (asked, wanted) in [
            ("/news/subscribe?list=a", "/subscribe?list=a"),
            ("/subscribe?list=a", "/subscribe?list=a"),
            ("/news", "/"),
            ("/news/", "/"),
            ("/news/healthz", "/healthz"),
            ("/news/style-0a.css", "/style-0a.css"),
            ("/news/media/x.png", "/media/x.png"),
            ("/news/undo/Tok", "/undo/Tok"),
            ("/News/Unsubscribe/Tok", "/unsubscribe/Tok"),
            ("/newsletter", "/newsletter"),
            ("/news/elsewhere", "/news/elsewhere"),
        ] {
            assert_eq!(known_path(asked, "/news"), wanted, "{asked}");
        }
    }

    #[test]
    fn a_prefix_that_is_called_like_a_page_is_no_obstacle() {
        for (base, asked, wanted) in [
            ("/subscribe", "/subscribe", "/subscribe"),
            ("/subscribe", "/subscribe/subscribe", "/subscribe"),
            ("/unsubscribe", "/unsubscribe/Tok", "/unsubscribe/Tok"),
            (
                "/unsubscribe",
                "/unsubscribe/unsubscribe/Tok",
                "/unsubscribe/Tok",
            ),
            ("/a/b", "/a/b/confirm/Tok", "/confirm/Tok"),
            ("/a/b", "/a/b/subscribe", "/subscribe"),
        ] {
            assert_eq!(known_path(asked, base), wanted, "{asked} below {base}");
        }
    }

    #[test]
    fn what_surrounds_a_token_is_one_segment_with_it() {
        for (asked, wanted) in [
            ("/Unsubscribe/Tok", "/unsubscribe/Tok"),
            ("//unsubscribe//Tok/", "/unsubscribe/Tok"),
            ("/unsubscribe/%3CTok", "/unsubscribe/%3CTok"),
            ("/confirm/T%2Do%5Fk).?x=y", "/confirm/T-o_k%29%2E?x=y"),
            ("/undo/a/b", "/undo/a%2Fb"),
            ("/unsubscribe/%FF", "/unsubscribe/%EF%BF%BD"),
            ("/unsubscribe", "/unsubscribe"),
            ("/subscribe/", "/subscribe/"),
            ("//evil.example/", "//evil.example/"),
        ] {
            assert_eq!(known_path(asked, ""), wanted, "{asked}");
        }
        let long = format!("/confirm/{}", "x".repeat(5000));
        assert_eq!(known_path(&long, ""), long);
    }
}
