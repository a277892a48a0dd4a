//! Merge tags of newsletter services: fields of a person that are ours too, and the rest, which is left out.

use super::report::Kind;
use super::walk::{Found, Walk};

/// The most bytes between the signs of a tag.
const LONGEST_BYTES: usize = 120;

/// A field of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    Name,
    Email,
}

/// The field that a name of another service means: `FNAME`, `first_name`, `EmailAddress`.
fn ours(name: &str) -> Option<Ours> {
    let name: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    match name.as_str() {
        "name" | "fname" | "firstname" | "fullname" | "displayname" | "givenname" | "merge1"
        | "mmerge1" => Some(Ours::Name),
        "email" | "emailaddress" | "mail" => Some(Ours::Email),
        _ => None,
    }
}

fn field(ours: Ours, default: Option<&str>) -> String {
    match (ours, default) {
        (Ours::Email, _) => "{{ email }}".to_owned(),
        (Ours::Name, None) => "{{ name }}".to_owned(),
        (Ours::Name, Some(default)) => {
            let default = default.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{{{{ name | default(\"{default}\") }}}}")
        }
    }
}

/// `*|FNAME|*`.
pub(super) fn mailchimp(walk: &Walk, at: usize) -> Option<Found> {
    let inner = walk.from(at).strip_prefix("*|")?;
    let end = inner.find("|*").filter(|end| *end <= LONGEST_BYTES)?;
    let name = &inner[..end];
    let good =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains(['\n', '|', '*']);
    if !good {
        return None;
    }
    let end = at + 2 + end + 2;
    let shown = format!("*|{name}|*");
    if let Some(ours) = ours(name) {
        return Some(Found::text(end, field(ours, None)).noted(Kind::Field, shown));
    }
    // `*|IF:FNAME|*Hi *|FNAME|**|ELSE:|*friend*|END:IF|*`: one of the two is shown to each reader.
    if name.starts_with("IF:")
        && let Some(found) = choice(walk, end, &name[3..])
    {
        return Some(found.noted(Kind::Field, shown));
    }
    Some(Found::nothing(end).noted(Kind::MergeTag, shown))
}

/// The rest of a choice between a field and other words, where it is just that.
fn choice(walk: &Walk, from: usize, name: &str) -> Option<Found> {
    let ours = ours(name)?;
    let rest = walk.from(from);
    let rest = rest.strip_prefix(&format!("*|{name}|*"))?;
    let rest = rest
        .strip_prefix("*|ELSE:|*")
        .or_else(|| rest.strip_prefix("*|ELSE|*"))?;
    let close = rest
        .find("*|END:IF|*")
        .filter(|end| *end <= LONGEST_BYTES)?;
    let other = &rest[..close];
    if other.contains(['\n', '|', '*', '{']) {
        return None;
    }
    let end = walk.text.len() - rest.len() + close + "*|END:IF|*".len();
    Some(Found::text(end, field(ours, Some(other))))
}

/// `%%share_url%%` of Substack and others.
pub(super) fn substack(walk: &Walk, at: usize) -> Option<Found> {
    let inner = walk.from(at).strip_prefix("%%")?;
    let end = inner.find("%%").filter(|end| *end <= LONGEST_BYTES)?;
    let name = &inner[..end];
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        && (name.contains('_')
            || ours(name).is_some()
            || name.chars().all(|c| c.is_ascii_uppercase()));
    if !good
        || walk
            .before(at)
            .is_some_and(|c| c == '%' || c.is_alphanumeric())
    {
        return None;
    }
    let end = at + 2 + end + 2;
    let shown = format!("%%{name}%%");
    Some(match ours(name) {
        Some(ours) => Found::text(end, field(ours, None)).noted(Kind::Field, shown),
        None => Found::nothing(end).noted(Kind::MergeTag, shown),
    })
}

/// `{first_name, "there"}` of Ghost.
pub(super) fn ghost(walk: &Walk, at: usize) -> Option<Found> {
    let inner = walk.from(at).strip_prefix('{')?;
    if walk.before(at).is_some_and(|c| matches!(c, '{' | '$')) {
        return None;
    }
    let close = inner.find('}').filter(|end| *end <= LONGEST_BYTES)?;
    let whole = &inner[..close];
    let (name, default) = match whole.split_once(',') {
        Some((name, default)) => {
            let default = default.trim();
            let quote = default
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '\'' | '“'))?;
            let end = if quote == '“' { '”' } else { quote };
            (
                name.trim(),
                Some(default[quote.len_utf8()..].strip_suffix(end)?),
            )
        }
        None => (whole, None),
    };
    let is_known = match name {
        "first_name" => true,
        "name" | "email" => default.is_some(),
        _ => false,
    };
    if !is_known || inner[close..].starts_with("}}") {
        return None;
    }
    let with = field(ours(name)?, default);
    Some(Found::text(at + 1 + close + 1, with).noted(Kind::Field, format!("{{{whole}}}")))
}

/// What `{{ … }}` holds: a path that ends in a field of a person, or a name that services have for their own links.
pub(super) fn braces(inner: &str, end: usize) -> Option<Found> {
    let (path, filter) = match inner.split_once('|') {
        Some((path, filter)) => (path.trim(), Some(filter.trim())),
        None => match inner.split_once(" or ") {
            Some((path, other)) => (path.trim(), Some(other.trim())),
            None => (inner.trim(), None),
        },
    };
    let shown = format!("{{{{ {path} }}}}");
    let mut names = path.trim_start_matches('.').rsplit('.');
    let last = names.next().unwrap_or_default();
    let is_path = path.contains('.');
    let person = |name: &str| {
        matches!(
            name.to_ascii_lowercase().as_str(),
            "subscriber"
                | "contact"
                | "recipient"
                | "member"
                | "user"
                | "person"
                | "customer"
                | "reader"
                | "lead"
        )
    };
    let is_word = path
        .chars()
        .all(|c| c.is_alphanumeric() || "._-".contains(c));
    if is_word && is_path && names.any(person) {
        let default = filter.and_then(default_of);
        return Some(match ours(last) {
            Some(ours) => {
                Found::text(end, field(ours, default.as_deref())).noted(Kind::Field, shown)
            }
            None => match default {
                Some(default) => Found::text(end, default).noted(Kind::MergeTag, shown),
                None => Found::nothing(end).noted(Kind::MergeTag, shown),
            },
        });
    }
    let folded: String = path
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    const SERVICES: [&str; 25] = [
        "unsubscribe",
        "unsubscribeurl",
        "unsubscribelink",
        "unsubscribeform",
        "manageurl",
        "managesubscriptionurl",
        "preferencesurl",
        "subscriberpreferencesurl",
        "subscribeform",
        "subscribeurl",
        "emailurl",
        "weblink",
        "webversion",
        "webversionurl",
        "viewinbrowserurl",
        "messageurl",
        "archiveurl",
        "shareurl",
        "upgradeurl",
        "optinurl",
        "trackview",
        "subscriberreferralurl",
        "referralurl",
        "donateurl",
        "publicationurl",
    ];
    (is_word && SERVICES.contains(&folded.as_str()))
        .then(|| Found::nothing(end).noted(Kind::MergeTag, shown))
}

/// The text of `default: "you"`, `default("you")`, or a lone `"you"`.
fn default_of(filter: &str) -> Option<String> {
    let value = filter.strip_prefix("default").unwrap_or(filter);
    let value = value
        .trim_start_matches([':', '(', ' '])
        .trim_end_matches([')', ' ']);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = value[1..].strip_suffix(quote)?;
    (!inner.contains(quote)).then(|| inner.to_owned())
}
