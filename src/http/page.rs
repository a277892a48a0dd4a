//! The frame of every page (title, masthead, footer), and how a page becomes a response.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::error::Problem;
use super::{Site, assets};
use crate::model::List;
use crate::phrases::Phrases;

/// The frame of a page.
pub(super) struct Shell<'a> {
    /// Such as `Subscribe · The Weekly Proof`.
    pub(super) title: String,
    pub(super) brand: Brand<'a>,
    /// The language of the page.
    pub(super) phrases: Phrases,
    /// The start of every address within the site.
    pub(super) base: &'a str,
    /// The version of the style sheet.
    pub(super) style: &'static str,
    /// Whether the page is as wide as two columns.
    pub(super) wide: bool,
}

/// The name in the masthead: the newsletter's, or the site's on pages about no newsletter.
pub(super) struct Brand<'a> {
    pub(super) name: &'a str,
    pub(super) lang: Option<&'a str>,
    /// The query of the masthead's link, which leads to the list's sign-up page.
    pub(super) query: String,
}

impl Site {
    /// The language of a page about a list. One about none is in the language of all lists, where they share one.
    pub(super) fn phrases(&self, list: Option<&List>) -> Phrases {
        let mut lists = self.settings.lists.iter().map(|(_, list)| list);
        let language = match (list, lists.next()) {
            (Some(list), _) => list.language.as_str(),
            (None, Some(first)) if lists.all(|other| other.language == first.language) => {
                first.language.as_str()
            }
            _ => "en",
        };
        Phrases::of(language)
    }

    /// The frame of a page about a list, or about none.
    pub(super) fn shell<'a>(&'a self, title: &str, list: Option<&'a List>) -> Shell<'a> {
        let phrases = self.phrases(list);
        let list = list.or_else(|| self.only_list().map(|(_, list)| list));
        let brand = match list {
            Some(list) => Brand {
                name: &list.name,
                lang: Some(&list.language),
                query: if self.only_list().is_some() {
                    String::new()
                } else {
                    format!("?list={}", list.key)
                },
            },
            None => Brand {
                name: host(self.links.public_url()),
                lang: None,
                query: String::new(),
            },
        };
        Shell {
            title: format!("{title} · {}", brand.name),
            brand,
            phrases,
            base: &self.base,
            style: assets::style_name(),
            wide: false,
        }
    }
}

/// The host of an address, for a site of several newsletters.
fn host(public_url: &str) -> &str {
    let rest = public_url
        .split_once("://")
        .map_or(public_url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

/// A filled template as an answer.
pub(super) fn answer(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (
            status,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            html,
        )
            .into_response(),
        Err(error) => {
            tracing::error!("a page could not be rendered: {error}");
            Problem::Broken.into_response()
        }
    }
}

/// Whether the body, or all that is accepted, is JSON: then the answer is, too.
pub(super) fn speaks_json(headers: &HeaderMap) -> bool {
    let has = |name, word| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.trim_start().starts_with(word))
    };
    has(header::CONTENT_TYPE, "application/json") || has(header::ACCEPT, "application/json")
}

/// A page of one headline and a few words.
#[derive(Template)]
#[template(path = "http/pages/plain.html")]
pub(super) struct Plain<'a> {
    pub(super) shell: Shell<'a>,
    /// A number as ornament.
    pub(super) figure: Option<&'a str>,
    pub(super) headline: &'a str,
    pub(super) lede: &'a str,
    /// The language of the lede, where it is not the page's.
    pub(super) lede_lang: Option<&'static str>,
    /// Whether the page links to the sign-up form.
    pub(super) again: bool,
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_site_of_several_newsletters_is_named_by_its_host() {
        assert_eq!(
            super::host("https://letters.example.org"),
            "letters.example.org"
        );
        assert_eq!(super::host("http://127.0.0.1:8080/x"), "127.0.0.1");
    }
}
