//! What the tags and shortcodes that many sites have are in a mail.

use comrak::markdown_to_html;

use super::arguments::Arguments;
use crate::manuscript::markdown::options;

/// What something of a template is for a reader.
#[derive(Debug, PartialEq)]
pub(super) enum Meant {
    /// A page or a player that a mail can only link to.
    Embed {
        /// Its address.
        url: String,
        /// Empty where the template gives none.
        title: String,
    },
    /// A picture.
    Picture(Picture),
    /// A quotation, with whom it is by.
    Quote {
        /// Empty where the template does not say.
        by: String,
    },
    /// A link in a text.
    Link {
        /// Where it leads.
        url: String,
        /// Its words.
        words: String,
    },
    /// Words that stand in an argument.
    Words(String),
    /// Nothing.
    Nothing,
}

/// A picture as a template names it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Picture {
    src: String,
    alt: String,
    title: String,
    /// Markdown.
    caption: String,
    link: String,
    width: String,
}

/// What a tag of a name is, by its arguments.
pub(super) fn meant(name: &str, arguments: &Arguments) -> Meant {
    let mut name = name.to_ascii_lowercase();
    let mut bare: Vec<&str> = arguments.bare().iter().map(String::as_str).collect();
    // `{% include youtube.html id="…" %}`: the file says what it is.
    if matches!(
        name.as_str(),
        "include" | "include_relative" | "include_cached" | "render" | "partial" | "component"
    ) && !bare.is_empty()
    {
        let file = bare.remove(0);
        let stem = file.rsplit('/').next().unwrap_or(file);
        name = stem.split('.').next().unwrap_or(stem).to_ascii_lowercase();
    }
    if let Some(url) = player(&name, arguments, &bare) {
        let title = arguments
            .named(&["title", "alt", "label"])
            .unwrap_or_default()
            .to_owned();
        return Meant::Embed { url, title };
    }
    if matches!(
        name.as_str(),
        "blockquote" | "quote" | "pullquote" | "centerquote" | "epigraph"
    ) {
        let by = arguments.named(&["author", "by", "cite", "attribution", "source"]);
        let by = by.map_or_else(|| bare.join(" "), str::to_owned);
        return Meant::Quote { by };
    }
    if let Some(picture) = picture(&name, arguments, &bare) {
        return Meant::Picture(picture);
    }
    let url = arguments
        .values()
        .find(|value| on_web(value))
        .map(str::to_owned);
    if let Some(url) = url {
        let words = arguments
            .named(&["text", "title", "label", "name", "caption", "alt"])
            .or_else(|| {
                bare.iter()
                    .copied()
                    .find(|b| !on_web(b) && !matches!(*b, "external" | "true" | "false"))
            })
            .unwrap_or_default()
            .to_owned();
        return match name.as_str() {
            "link" | "button" | "btn" | "a" | "href" | "extlink" => Meant::Link { url, words },
            _ => Meant::Embed { url, title: words },
        };
    }
    match arguments.named(&[
        "title", "summary", "caption", "heading", "header", "label", "text", "content",
    ]) {
        Some(words)
            if !matches!(
                name.as_str(),
                "include" | "subscribe" | "assign" | "for" | "if"
            ) =>
        {
            Meant::Words(words.to_owned())
        }
        _ => Meant::Nothing,
    }
}

fn on_web(value: &str) -> bool {
    value.starts_with("https://") || value.starts_with("http://")
}

/// The address of a video, a post or the like by its id.
fn player(name: &str, arguments: &Arguments, bare: &[&str]) -> Option<String> {
    let given = || {
        let names = [
            "id", "videoid", "video_id", "video", "v", "code", "tweetid", "url", "src", "link",
        ];
        let found = arguments.named(&names).or(bare.first().copied())?;
        Some(found.trim()).filter(|id| !id.is_empty())
    };
    // Of an address that names its host already, nothing is guessed.
    let by_id = |before: &str| {
        let id = given()?;
        if on_web(id) {
            return Some(id.to_owned());
        }
        let good = id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_/.".contains(c));
        good.then(|| format!("{before}{id}"))
    };
    let has = |part: &str| name.contains(part);
    if has("youtube") || matches!(name, "yt" | "ytvideo") {
        let list = arguments.named(&["playlist", "list"]);
        return match list {
            Some(list) if arguments.named(&["id", "v", "video"]).is_none() && bare.is_empty() => {
                Some(format!("https://www.youtube.com/playlist?list={list}"))
            }
            _ => by_id("https://www.youtube.com/watch?v="),
        };
    }
    match name {
        "vimeo" | "vimeo_simple" | "vimeo-simple" => by_id("https://vimeo.com/"),
        "tweet" | "twitter" | "x" | "twitter_simple" | "x_simple" => {
            let user = arguments.named(&["user", "username"]).unwrap_or("i");
            by_id(&format!("https://twitter.com/{user}/status/"))
        }
        "gist" => {
            let names = bare.iter().take(2).copied().collect::<Vec<_>>().join("/");
            match arguments.named(&["url", "id"]) {
                Some(url) if on_web(url) => Some(url.to_owned()),
                None if bare.len() > 1 && !on_web(bare[0]) => {
                    Some(format!("https://gist.github.com/{names}"))
                }
                _ => by_id("https://gist.github.com/"),
            }
        }
        "instagram" | "instagram_simple" => by_id("https://www.instagram.com/p/"),
        "streamable" => by_id("https://streamable.com/"),
        "asciinema" => by_id("https://asciinema.org/a/"),
        "bilibili" => by_id("https://www.bilibili.com/video/"),
        "codepen" | "jsfiddle" | "mastodon" | "soundcloud" | "spotify" | "loom" | "embed"
        | "iframe" | "bookmark" | "video" | "audio" | "mp4" | "mp3" => {
            given().filter(|id| on_web(id)).map(str::to_owned)
        }
        _ => None,
    }
}

fn picture(name: &str, arguments: &Arguments, bare: &[&str]) -> Option<Picture> {
    const ENDINGS: [&str; 9] = [
        ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp", ".tiff",
    ];
    let is_picture = |value: &str| {
        let path = value
            .split(['?', '#'])
            .next()
            .unwrap_or(value)
            .to_ascii_lowercase();
        ENDINGS.iter().any(|ending| path.ends_with(ending))
    };
    const NAMES: [&str; 9] = [
        "src",
        "path",
        "image",
        "img",
        "file",
        "url",
        "source",
        "image_path",
        "photo",
    ];
    let named_for = ["figure", "image", "img", "picture", "photo", "fig"]
        .iter()
        .any(|part| name.contains(part));
    let src = arguments
        .named(&NAMES)
        .filter(|src| named_for || is_picture(src));
    let at = bare.iter().position(|value| is_picture(value));
    let src = match (src, at) {
        (Some(src), _) => src,
        (None, Some(at)) => bare[at],
        (None, None) if named_for => bare.first().copied()?,
        (None, None) => return None,
    };
    // Hexo: `{% img [class] /path [width] [height] "title" "alt" %}`.
    let after: Vec<&str> = bare
        .iter()
        .skip(at.map_or(1, |at| at + 1))
        .copied()
        .collect();
    let is_size = |value: &&&str| value.chars().all(|c| c.is_ascii_digit() || c == '%');
    let words: Vec<&str> = after.iter().filter(|v| !is_size(v)).copied().collect();
    let of = |names: &[&str]| arguments.named(names).unwrap_or_default().to_owned();
    let mut picture = Picture {
        src: src.to_owned(),
        alt: of(&["alt"]),
        title: of(&["title"]),
        caption: of(&["caption", "cap", "attr"]),
        link: of(&["link", "href"]),
        width: of(&["width"]).trim_end_matches("px").to_owned(),
    };
    if picture.alt.is_empty() {
        picture.alt = words.last().map_or_else(String::new, |w| (*w).to_owned());
    }
    let attribution = of(&["attr"]);
    if !attribution.is_empty() && attribution != picture.caption {
        picture.caption = format!("{} {attribution}", picture.caption);
    }
    Some(picture)
}

impl Picture {
    /// A picture with these words beside it.
    pub(super) fn new(src: &str, alt: &str, width: &str) -> Self {
        Self {
            src: src.to_owned(),
            alt: alt.to_owned(),
            width: width.to_owned(),
            ..Self::default()
        }
    }

    /// A figure with its caption.
    pub(super) fn block(&self) -> String {
        let mut caption = inline_html(self.caption.trim());
        if !self.title.is_empty() && caption.is_empty() {
            caption = format!("<strong>{}</strong>", escaped(&self.title));
        }
        let image = self.image();
        if caption.is_empty() {
            return format!("<figure>{image}</figure>");
        }
        format!("<figure>{image}<figcaption>{caption}</figcaption></figure>")
    }

    /// A picture within text.
    pub(super) fn inline(&self) -> String {
        let caption = inline_html(self.caption.trim());
        let gap = if caption.is_empty() { "" } else { " " };
        format!("{}{gap}{caption}", self.image())
    }

    fn image(&self) -> String {
        let mut out = format!(
            "<img src=\"{}\" alt=\"{}\"",
            escaped(&self.src),
            escaped(&self.alt)
        );
        if self.width.chars().all(|c| c.is_ascii_digit()) && !self.width.is_empty() {
            out.push_str(&format!(" width=\"{}\"", self.width));
        }
        out.push('>');
        if on_web(&self.link) {
            out = format!("<a href=\"{}\">{out}</a>", escaped(&self.link));
        }
        out
    }
}

/// A player as HTML, which becomes a card or a link.
pub(super) fn embed(url: &str, title: &str) -> String {
    let title = if title.is_empty() {
        String::new()
    } else {
        format!(" title=\"{}\"", escaped(title))
    };
    format!("<iframe src=\"{}\"{title}></iframe>", escaped(url))
}

/// Text as HTML writes it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\n', " ")
}

/// A line of Markdown as HTML on one line.
pub(super) fn inline_html(markdown: &str) -> String {
    if markdown.is_empty() {
        return String::new();
    }
    let html = markdown_to_html(markdown, &options());
    let html = html.trim();
    match html
        .strip_prefix("<p>")
        .and_then(|h| h.strip_suffix("</p>"))
    {
        Some(inner) if !inner.contains("<p>") && !inner.contains("<!--") => {
            inner.replace('\n', " ")
        }
        _ => escaped(markdown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, arguments: &str) -> Meant {
        meant(name, &Arguments::read(arguments))
    }

    fn url(name: &str, arguments: &str) -> String {
        match of(name, arguments) {
            Meant::Embed { url, .. } => url,
            other => panic!("{name} {arguments}: {other:?}"),
        }
    }

    #[test]
    fn players_are_known_by_their_name_and_id() {
        for (name, arguments, want) in [
            (
                "youtube",
                "w7Ft2ymGmfc",
                "https://www.youtube.com/watch?v=w7Ft2ymGmfc",
            ),
            (
                "youtube",
                "id=\"w7Ft\" autoplay=\"true\"",
                "https://www.youtube.com/watch?v=w7Ft",
            ),
            (
                "include",
                "youtube.html id=\"w7Ft\"",
                "https://www.youtube.com/watch?v=w7Ft",
            ),
            ("youtube", "https://youtu.be/w7Ft", "https://youtu.be/w7Ft"),
            ("vimeo", "146022717", "https://vimeo.com/146022717"),
            (
                "tweet",
                "user=\"Ann\" id=\"145\"",
                "https://twitter.com/Ann/status/145",
            ),
            (
                "gist",
                "ann 23932424365401ffa5e9",
                "https://gist.github.com/ann/23932424365401ffa5e9",
            ),
            (
                "embed",
                "url=\"https://a.example/x\"",
                "https://a.example/x",
            ),
            ("bookmark", "https://a.example/x", "https://a.example/x"),
        ] {
            assert_eq!(url(name, arguments), want, "{name} {arguments}");
        }
        assert_eq!(of("youtube", "\"><script>\""), Meant::Nothing);
        assert_eq!(of("include", "sponsor.html"), Meant::Nothing);
    }

    #[test]
    fn pictures_keep_their_words() {
        let html = |name: &str, arguments: &str| match of(name, arguments) {
            Meant::Picture(picture) => picture.block(),
            other => panic!("{name} {arguments}: {other:?}"),
        };
        assert_eq!(
            html(
                "figure",
                "src=\"a.png\" alt=\"An <a>\" caption=\"By [Ann](https://a.example)\""
            ),
            "<figure><img src=\"a.png\" alt=\"An &lt;a&gt;\"><figcaption>By <a href=\"https://a.example\">Ann</a>\
             </figcaption></figure>"
        );
        assert_eq!(
            html("img", "left /i/a.png 100 200 \"A title\""),
            "<figure><img src=\"/i/a.png\" alt=\"A title\"></figure>"
        );
        assert_eq!(
            html("card", "cover=x image=\"a.jpg\""),
            "<figure><img src=\"a.jpg\" alt=\"\"></figure>"
        );
    }
}
