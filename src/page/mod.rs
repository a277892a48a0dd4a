//! What the public pages and those of the demo inbox share: the base style sheet, the icon and the security headers.
//!
//! No script, font, picture or style comes from another site. Routes and contents are those of `http` and
//! `inbox::pages`.

/// Colours, type, buttons, fields and links, in the terms of the design: ink on paper, one red.
pub(crate) const BASE_CSS: &str = include_str!("base.css");

/// The mark, a plain square in vermilion, as the icon of the pages.
pub(crate) const ICON_SVG: &str = concat!(
    r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">"#,
    r##"<path fill="#b1361e" d="M2 2h12v12H2z"/></svg>"##
);

/// What a page may load and do: our own style sheet and pictures, forms to ourselves, no frame around it.
pub(crate) const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                       frame-ancestors 'none'; base-uri 'none'";

/// The headers of every answer; a route that needs another value sets its own.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    // The address can hold a token, which must not be sent to other sites.
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=(), interest-cohort=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-store"),
];

/// A name that changes with the text, so that browsers can cache it forever.
pub(crate) fn fingerprint(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    data_encoding::HEXLOWER.encode(&digest.as_ref()[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_follows_the_text() {
        assert_eq!(fingerprint("").len(), 12);
        assert_ne!(fingerprint("a"), fingerprint("b"));
    }
}
