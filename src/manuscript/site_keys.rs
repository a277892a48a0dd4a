//! Keys of other programs in front matter: what Jekyll, Hugo, Zola, Hexo, Pelican, Obsidian, Astro, Eleventy and
//! newsletter services call what we call otherwise, and which of their words say that a text is not ready.

use super::front_matter::Value;

/// What a key of another program means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    /// The number.
    Number,
    /// The subject.
    Subject,
    /// What the issue is about: the preheader.
    Preheader,
    /// A picture for the top.
    Cover,
    /// The language.
    Language,
    /// When it is published.
    Date,
    /// Whether it is published, or since when.
    Published,
    /// Whether it is a draft.
    Draft,
    /// A word that says how far it is.
    Status,
    /// A table for the site's theme.
    Nested,
}

/// The keys of each meaning, in the order in which they win; case, `_` and `-` are left out.
#[rustfmt::skip]
const KEYS: [(Meaning, &[&str]); 10] = [
    (Meaning::Number, &["issuenumber", "issueno", "issue", "newsletternumber", "episode", "edition"]),
    (Meaning::Subject, &["subjectline", "emailsubject", "mailsubject"]),
    (Meaning::Preheader, &["preheadertext", "previewtext", "preview", "description", "summary", "excerpt", "subtitle", "abstract",
        "teasertext", "lead"]),
    (Meaning::Cover, &["coverimage", "featuredimage", "featureimage", "featured", "image", "images", "heroimage", "hero",
        "banner", "bannerimage", "thumbnail", "thumb", "thumbnailimage", "photo", "ogimage", "socialimage", "cardimage",
        "headerimg", "headerimage", "header", "teaser", "indeximg", "topimg"]),
    (Meaning::Language, &["locale", "langcode"]),
    (Meaning::Date, &["publishdate", "pubdate", "publisheddate", "publicationdate", "datepublished", "publishedat",
        "publishat", "publishedon", "releasedate", "sendat", "senddate", "sendon", "scheduledat", "scheduledfor",
        "scheduled", "schedule", "embargo", "embargountil", "golive", "posted", "postedon", "created", "createdat",
        "datecreated", "creationdate"]),
    (Meaning::Published, &["published", "publish", "ispublished"]),
    (Meaning::Draft, &["isdraft", "wip", "unpublished", "private"]),
    (Meaning::Status, &["status", "poststatus", "state"]),
    (Meaning::Nested, &["extra", "params"]),
];

/// Keys that sites have and that mean nothing in a mail, so that none of them is taken for a slip of the pen.
#[rustfmt::skip]
const USUAL: [&str; 20] = [
    "tags", "tag", "lists", "links", "data", "dates", "slug", "type", "layout", "link", "url", "code", "titles", "cover_alt",
    "dating", "last", "update", "line", "like", "craft",
];

/// What a key means and how it ranks among those of the same meaning; 0 wins.
pub(super) fn meaning(key: &str) -> Option<(Meaning, usize)> {
    let key: String = key
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    KEYS.iter().find_map(|(meaning, keys)| {
        let rank = keys.iter().position(|k| *k == key)?;
        Some((*meaning, rank))
    })
}

/// Whether a key holds when something is published.
pub(super) fn is_date(key: &str) -> bool {
    matches!(meaning(key), Some((Meaning::Date, _)))
}

/// Whether sites have this key for something else than what it resembles.
pub(super) fn is_usual(key: &str) -> bool {
    USUAL.contains(&key)
}

/// Whether a status says that a text is not to be sent. A word that is not known says so too: a mail can't be taken back.
pub(super) fn is_not_ready(status: &str) -> bool {
    const READY: [&str; 18] = [
        "",
        "published",
        "publish",
        "public",
        "live",
        "final",
        "done",
        "ready",
        "complete",
        "completed",
        "finished",
        "sent",
        "approved",
        "released",
        "online",
        "active",
        "true",
        "ok",
    ];
    !READY.contains(&status.trim().to_lowercase().as_str())
}

/// The picture that a value names, with its alternative text: a path, an address, `![alt](path)`, a table that holds one,
/// or the first of a list.
pub(super) fn picture(value: &Value) -> Option<(String, String)> {
    const NAMES: [&str; 10] = [
        "src",
        "image",
        "path",
        "url",
        "feature",
        "teaser",
        "relative",
        "file",
        "thumb",
        "overlay_image",
    ];
    let whole = |text: &str| {
        let text = text.trim();
        let parts = text
            .strip_prefix("![")
            .and_then(|t| t.strip_suffix(')'))
            .and_then(|t| t.rsplit_once("]("));
        match parts {
            Some((alt, src)) => (src.trim().to_owned(), alt.to_owned()),
            None => (text.trim_matches(['[', ']']).to_owned(), String::new()),
        }
    };
    let found = match value {
        Value::Text(text) => whole(text),
        Value::List(list) => whole(list.first()?),
        Value::Table(table) => {
            let src = NAMES.iter().find_map(|name| table.get(*name))?;
            let alt = ["alt", "image_description", "caption", "title"]
                .iter()
                .find_map(|name| table.get(*name));
            (src.trim().to_owned(), alt.cloned().unwrap_or_default())
        }
        Value::Flag(_) | Value::Other => return None,
    };
    let is_one = !found.0.is_empty()
        && !matches!(found.0.as_str(), "true" | "false")
        && !found.0.contains(['<', '{']);
    is_one.then_some(found)
}

/// A summary without its Markdown and HTML: an inbox shows words alone.
pub(super) fn bare_words(text: &str) -> String {
    if !text.contains(['*', '_', '[', '<', '`', '&', '\\']) {
        return text.to_owned();
    }
    let parsed = super::markdown::plain_words(text);
    parsed.split_whitespace().collect::<Vec<_>>().join(" ")
}
