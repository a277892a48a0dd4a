//! What a film is called whose author gives it no name, by where it is shown.

/// Sites that show films, by the ends of their hosts.
const SITES: [(&str, &str); 17] = [
    ("youtube.com", "YouTube"),
    ("youtube-nocookie.com", "YouTube"),
    ("youtu.be", "YouTube"),
    ("vimeo.com", "Vimeo"),
    ("dailymotion.com", "Dailymotion"),
    ("dai.ly", "Dailymotion"),
    ("twitch.tv", "Twitch"),
    ("bilibili.com", "Bilibili"),
    ("b23.tv", "Bilibili"),
    ("youku.com", "Youku"),
    ("nicovideo.jp", "niconico"),
    ("tiktok.com", "TikTok"),
    ("loom.com", "Loom"),
    ("rutube.ru", "Rutube"),
    ("ted.com", "TED"),
    ("asciinema.org", "asciinema"),
    ("media.ccc.de", "media.ccc.de"),
];

/// Endings of files that are films.
const ENDINGS: [&str; 6] = [".mp4", ".m4v", ".webm", ".mov", ".ogv", ".m3u8"];

/// Where a film is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Film {
    /// On a site that people know by this name.
    On(&'static str),
    /// Elsewhere: the address is the film itself.
    File,
}

/// What film an address leads to, as far as it tells.
pub(super) fn of(url: &str) -> Option<Film> {
    let parsed = url::Url::parse(url).ok()?;
    let host = parsed.host_str()?;
    let is_of = |site: &str| {
        host.strip_suffix(site)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    if let Some((_, name)) = SITES.iter().find(|(site, _)| is_of(site)) {
        return Some(Film::On(name));
    }
    let path = parsed.path().to_ascii_lowercase();
    ENDINGS
        .iter()
        .any(|ending| path.ends_with(ending))
        .then_some(Film::File)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_where_a_film_is_shown() {
        for (url, film) in [
            (
                "https://www.youtube-nocookie.com/embed/w7Ft2ymGmfc",
                Some(Film::On("YouTube")),
            ),
            ("https://youtu.be/x", Some(Film::On("YouTube"))),
            ("https://player.vimeo.com/video/1", Some(Film::On("Vimeo"))),
            ("https://notyoutube.com/x", None),
            ("https://a.example/4.MP4?x=1", Some(Film::File)),
            ("https://a.example/", None),
            ("mailto:a@youtube.com", None),
        ] {
            assert_eq!(of(url), film, "{url}");
        }
    }
}
