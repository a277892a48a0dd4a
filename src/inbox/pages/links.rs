//! Makes the links of a shown mail open in a new tab: most pages refuse to be shown in a frame.

/// Adds a target to each link that leads away; links within the mail stay as they are.
pub(super) fn open_beside(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 50);
    let mut rest = html;
    while let Some(start) = rest.find("<a ").or_else(|| rest.find("<A ")) {
        let after_name = start + "<a".len();
        let end = end_of_tag(&rest[after_name..]) + after_name;
        let tag = &rest[after_name..end];
        out.push_str(&rest[..after_name]);
        if leads_away(tag) {
            out.push_str(" target=\"_blank\" rel=\"noopener noreferrer\"");
        }
        out.push_str(tag);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Where a tag ends; a `>` within quotes does not end it.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (i, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return i,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// Whether a link's tag has an address on the web, and no target of its own.
fn leads_away(tag: &str) -> bool {
    let lower = tag.to_ascii_lowercase();
    !lower.contains(" target=") && (lower.contains("href=\"http") || lower.contains("href='http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_that_lead_away_get_a_target() {
        let with = |tag: &str| format!("<a target=\"_blank\" rel=\"noopener noreferrer\"{tag}");
        assert_eq!(
            open_beside("x <a href=\"https://e.example/?a>b\">y</a>"),
            format!("x {}>y</a>", with(" href=\"https://e.example/?a>b\""))
        );
        for same in [
            "<a href=\"#s1\">y</a>",
            "<a href=\"mailto:a@b\">",
            "<abbr href=\"http://x\">",
            "<a href=\"http://x\" target=\"x\">",
            "",
            "<a ",
            "<a href='http",
        ] {
            if !same.ends_with("'http") {
                assert_eq!(open_beside(same), same);
            }
        }
        assert_eq!(open_beside("<a href='http"), with(" href='http"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_else_changes(html in "(<a |href=\"https?://|[<>\"' a-z#é]){0,30}") {
            let out = open_beside(&html);
            proptest::prop_assert_eq!(out.replace(" target=\"_blank\" rel=\"noopener noreferrer\"", ""), html);
        }
    }
}
