//! Links within an issue: which place each leads to, and the name of that place in the mail.
//!
//! Authors name places themselves ([`Inline::Anchor`]) or rely on the names that site generators give to headings. Here
//! every link that leads somewhere gets the name under which the mail has the place, each name stands once, and a link
//! that leads nowhere becomes its words. Afterwards neither `html` nor `text` needs to know more than the names.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use percent_encoding::percent_decode_str;

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, Body, Inline, Inlines, Issue, Part, Section};

/// The place at the top of every document, which needs no name of the author's.
pub(super) const TOP: &str = "top";

/// A link of the author's that leads to no place of the issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeadLink {
    /// As the author wrote it, such as `#stats`.
    pub url: String,
    /// The line of the file; 0 where it is not known.
    pub line: usize,
}

/// An issue with its inner links settled.
pub(super) fn settled(issue: &Issue) -> Cow<'_, Issue> {
    if !has_any(issue) {
        return Cow::Borrowed(issue);
    }
    let mut issue = issue.clone();
    let places = Places::of(&mut issue);
    walk::runs_mut(&mut issue.parts, &mut |run| {
        let words = std::mem::take(run);
        *run = places.settle(words);
    });
    blocks_mut(&mut issue.parts, &mut |block| {
        if let Block::Figure { link, .. } = block
            && let Some(url) = link.take_if(|url| url.starts_with('#'))
        {
            *link = places.name(&url).map(|name| format!("#{name}"));
        }
    });
    Cow::Owned(issue)
}

/// The links of an issue that lead to no place in it.
pub(super) fn dead_links(issue: &Issue) -> Vec<DeadLink> {
    let mut wanted = Vec::new();
    walk::parts(&issue.parts, &mut |seen| {
        if let Seen::Link { url, line } = seen
            && url.starts_with('#')
        {
            wanted.push((url.to_owned(), line));
        }
    });
    if wanted.is_empty() {
        return Vec::new();
    }
    let places = Places::of(&mut issue.clone());
    wanted.retain(|(url, _)| places.name(url).is_none());
    wanted
        .into_iter()
        .map(|(url, line)| DeadLink { url, line })
        .collect()
}

/// Whether a link leads to the top of the mail.
pub(super) fn leads_to_top(issue: &Issue) -> bool {
    let mut found = false;
    walk::parts(&issue.parts, &mut |seen| {
        found |= matches!(seen, Seen::Link { url, .. } if url.strip_prefix('#') == Some(TOP));
    });
    found
}

/// Whether an issue names places or links to some.
fn has_any(issue: &Issue) -> bool {
    let mut found = false;
    walk::parts(&issue.parts, &mut |seen| {
        found |= matches!(seen, Seen::Link { url, .. } if url.starts_with('#'))
            || matches!(seen, Seen::Anchor(_));
    });
    found
}

/// The places of an issue.
struct Places {
    /// The name in the mail of each place that a link can name, by the name that links use.
    names: HashMap<String, String>,
}

impl Places {
    /// Finds the places of an issue. Headings that a link names by their words get an anchor.
    fn of(issue: &mut Issue) -> Places {
        let mut wanted = HashSet::new();
        let mut own = Vec::new();
        walk::parts(&issue.parts, &mut |seen| match seen {
            Seen::Link { url, .. } => wanted.extend(fragment(url)),
            Seen::Anchor(name) => own.push(name.to_owned()),
            _ => {}
        });
        let mut places = Places {
            names: HashMap::new(),
        };
        let mut taken = HashSet::from([TOP.to_owned()]);
        for name in own {
            places.add(&name, &mut taken);
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        headings_mut(&mut issue.parts, &mut |heading, number| {
            for slug in slugs(&crate::model::issue::plain(heading), number) {
                let count = seen.entry(slug.clone()).or_default();
                let slug = match *count {
                    0 => slug,
                    n => format!("{slug}-{n}"),
                };
                *count += 1;
                if wanted.contains(&slug) && !places.names.contains_key(&slug) {
                    places.add(&slug, &mut taken);
                    heading.push(Inline::Anchor(slug));
                }
            }
        });
        places
    }

    /// Adds a place under a name that no other has in the mail, where it has no name yet.
    fn add(&mut self, name: &str, taken: &mut HashSet<String>) {
        let key = folded(name);
        if self.names.contains_key(&key) {
            return;
        }
        let base = safe(name);
        let mut own = base.clone();
        let mut n = 1;
        while !taken.insert(own.clone()) {
            n += 1;
            own = format!("{base}-{n}");
        }
        self.names.insert(key, own);
    }

    /// The name in the mail of the place that a link within the issue leads to.
    fn name(&self, url: &str) -> Option<&str> {
        let key = fragment(url)?;
        if key.is_empty() || key == TOP {
            return Some(self.names.get(TOP).map_or(TOP, String::as_str));
        }
        let bare = key.strip_prefix("user-content-").unwrap_or(&key);
        self.names
            .get(&key)
            .or_else(|| self.names.get(bare))
            .map(String::as_str)
    }

    /// Inlines in which links and places have their names in the mail.
    fn settle(&self, inlines: Inlines) -> Inlines {
        let mut out = Inlines::with_capacity(inlines.len());
        for inline in inlines {
            match inline {
                Inline::Link {
                    url,
                    title,
                    children,
                    line,
                } => {
                    let children = self.settle(children);
                    if !url.starts_with('#') {
                        out.push(Inline::Link {
                            url,
                            title,
                            children,
                            line,
                        });
                    } else if let Some(name) = self.name(&url) {
                        out.push(Inline::Link {
                            url: format!("#{name}"),
                            title,
                            children,
                            line,
                        });
                    } else {
                        out.extend(children);
                    }
                }
                Inline::Anchor(name) => {
                    // The second place of the same name has none in the mail.
                    if let Some(own) = self.names.get(&folded(&name)) {
                        out.push(Inline::Anchor(own.clone()));
                    }
                }
                Inline::Emphasis(c) => out.push(Inline::Emphasis(self.settle(c))),
                Inline::Strong(c) => out.push(Inline::Strong(self.settle(c))),
                Inline::Strike(c) => out.push(Inline::Strike(self.settle(c))),
                Inline::Tag { name, children } => out.push(Inline::Tag {
                    name,
                    children: self.settle(children),
                }),
                other => out.push(other),
            }
        }
        out
    }
}

/// What a link within the issue names, in the form in which names are compared; `None` for other links.
fn fragment(url: &str) -> Option<String> {
    let name = url.strip_prefix('#')?;
    Some(folded(&percent_decode_str(name).decode_utf8_lossy()))
}

/// The form in which names are compared.
fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// A name as an `id`: without white space, and not one that mails have for themselves.
fn safe(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "-_.:".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let is_ours = ["part", "fn", "fnref"].iter().any(|own| {
        kept.strip_prefix(own)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    if is_ours { format!("a-{kept}") } else { kept }
}

/// The names that site generators give to a heading: its words in small letters, joined by hyphens. A number that was
/// taken off the heading belongs to it.
fn slugs(heading: &str, number: Option<u32>) -> Vec<String> {
    let slug: String = heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' | '\u{a0}' => Some('-'),
            c if c.is_alphanumeric() || "-_".contains(c) => Some(c),
            _ => None,
        })
        .collect();
    if slug.is_empty() {
        return Vec::new();
    }
    let mut out = vec![slug.clone()];
    if let Some(number) = number {
        out.extend([format!("{number}-{slug}"), format!("{number}{slug}")]);
    }
    // Where punctuation stood between two spaces, some write one hyphen.
    let mut single = slug.clone();
    while single.contains("--") {
        single = single.replace("--", "-");
    }
    let single = single.trim_matches('-').to_owned();
    if single != slug && !single.is_empty() {
        out.push(single);
    }
    out
}

/// Hands every heading to `see`, with the number that was taken off it.
fn headings_mut(parts: &mut [Part], see: &mut dyn FnMut(&mut Inlines, Option<u32>)) {
    for part in parts {
        match part {
            Part::Text(all) => headings_of(all, see),
            Part::Summary(groups) => {
                for group in groups {
                    see(&mut group.heading, None);
                    headings_of(&mut group.blocks, see);
                }
            }
            Part::Contents { intro, .. } => headings_of(intro, see),
            Part::Section(section) => {
                see(&mut section.heading, section.number);
                section
                    .body
                    .iter_mut()
                    .for_each(|b| headings_of_body(b, see));
            }
            Part::Subscribe { heading, body } => {
                see(heading, None);
                body.iter_mut().for_each(|b| headings_of_body(b, see));
            }
            Part::About { heading, body } => {
                see(heading, None);
                headings_of(body, see);
            }
        }
    }
}

fn headings_of_body(body: &mut Body, see: &mut dyn FnMut(&mut Inlines, Option<u32>)) {
    match body {
        Body::Item(item) => {
            see(&mut item.title, None);
            headings_of(&mut item.comment, see);
        }
        Body::Card(_) => {}
        Body::Text(all) => headings_of(all, see),
    }
}

fn headings_of(blocks: &mut [Block], see: &mut dyn FnMut(&mut Inlines, Option<u32>)) {
    each_block(blocks, &mut |block| {
        if let Block::Heading { inlines, .. } = block {
            see(inlines, None);
        }
    });
}

/// Hands every block to `see`, those within others too.
fn blocks_mut(parts: &mut [Part], see: &mut dyn FnMut(&mut Block)) {
    for part in parts {
        match part {
            Part::Text(all) | Part::About { body: all, .. } => each_block(all, see),
            Part::Contents { intro, .. } => each_block(intro, see),
            Part::Summary(groups) => groups
                .iter_mut()
                .for_each(|group| each_block(&mut group.blocks, see)),
            Part::Section(Section { body, .. }) | Part::Subscribe { body, .. } => {
                for one in body {
                    match one {
                        Body::Item(item) => each_block(&mut item.comment, see),
                        Body::Text(all) => each_block(all, see),
                        Body::Card(_) => {}
                    }
                }
            }
        }
    }
}

fn each_block(blocks: &mut [Block], see: &mut dyn FnMut(&mut Block)) {
    for block in blocks {
        see(block);
        match block {
            Block::Quote(all) | Block::Alert { blocks: all, .. } => each_block(all, see),
            Block::List { items, .. } => items
                .iter_mut()
                .for_each(|item| each_block(&mut item.blocks, see)),
            Block::Definitions(all) => all
                .iter_mut()
                .for_each(|one| each_block(&mut one.blocks, see)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_named_as_site_generators_name_them() {
        assert_eq!(slugs("The Numbers, again!", None), ["the-numbers-again"]);
        assert_eq!(slugs("A & B", None), ["a--b", "a-b"]);
        assert_eq!(
            slugs("本周特稿", Some(1)),
            ["本周特稿", "1-本周特稿", "1本周特稿"]
        );
        assert_eq!(slugs("…", None), [] as [&str; 0]);
    }

    #[test]
    fn names_are_safe_and_stand_once() {
        let mut places = Places {
            names: HashMap::new(),
        };
        let mut taken = HashSet::new();
        for name in ["a\"b", "a<b", "part3", "统计", "Stats"] {
            places.add(name, &mut taken);
        }
        let name = |url| places.name(url);
        assert_eq!(name("#a%22b"), Some("a-b"));
        assert_eq!(name("#a<b"), Some("a-b-2"));
        assert_eq!(name("#part3"), Some("a-part3"));
        assert_eq!(name("#%E7%BB%9F%E8%AE%A1"), Some("统计"));
        assert_eq!(name("#stats"), Some("Stats"));
        assert_eq!(name("#user-content-stats"), Some("Stats"));
        assert_eq!(name("#"), Some("top"));
        assert_eq!(name("#nowhere"), None);
    }
}
