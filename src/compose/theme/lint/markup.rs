//! Reads the tags of a template: enough of MJML and Jinja to judge a theme, and no more.

/// What is wrong, and on which line of the file (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line of the file, from 1.
    pub line: usize,
    /// What is wrong, without a final stop.
    pub why: String,
}

impl Fault {
    /// A fault at a byte offset of a file.
    pub(super) fn at(source: &str, offset: usize, why: impl Into<String>) -> Fault {
        Fault {
            line: line_at(source, offset),
            why: why.into(),
        }
    }
}

/// A tag as it stands in a file.
#[derive(Debug)]
pub(super) struct Tag<'s> {
    /// Its name, as written.
    pub name: &'s str,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// `</name>`
    pub closing: bool,
    /// `<name/>`
    pub empty: bool,
    /// In the order of the file.
    pub attributes: Vec<Attribute<'s>>,
}

/// An attribute of a tag.
#[derive(Debug)]
pub(super) struct Attribute<'s> {
    /// Its name, as written.
    pub name: &'s str,
    /// Without what Jinja puts there.
    pub value: String,
    /// The line on which it begins, from 1.
    pub line: usize,
}

/// The tags of a template, in order; text, Jinja and comments are passed over.
pub(super) struct Tags<'s> {
    source: &'s str,
    at: usize,
    /// Lines are counted up to here, so that no byte is counted twice.
    counted: usize,
    line: usize,
    /// Inside this element there are no tags until it closes.
    raw: Option<&'static str>,
}

impl<'s> Tags<'s> {
    /// The tags of a file's text.
    pub(super) fn of(source: &'s str) -> Self {
        Tags {
            source,
            at: 0,
            counted: 0,
            line: 1,
            raw: None,
        }
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn fault(&self, why: impl Into<String>) -> Fault {
        Fault::at(self.source, self.at, why)
    }

    /// The line that is being read.
    fn line_here(&mut self) -> usize {
        let passed = &self.source.as_bytes()[self.counted..self.at];
        self.line += passed.iter().filter(|b| **b == b'\n').count();
        self.counted = self.at;
        self.line
    }

    /// Passes over Jinja where it begins here.
    fn skip_jinja(&mut self) -> Result<bool, Fault> {
        let Some(length) = jinja(self.rest()) else {
            return Ok(false);
        };
        match length {
            Some(length) => self.at += length,
            None => return Err(self.fault("this Jinja tag is not closed")),
        }
        Ok(true)
    }

    fn next_tag(&mut self) -> Result<Option<Tag<'s>>, Fault> {
        while self.at < self.source.len() {
            if self.skip_jinja()? {
                continue;
            }
            let rest = self.rest();
            if rest.starts_with("<!--") {
                let Some(length) = rest.find("-->") else {
                    return Err(self.fault("this comment is not closed"));
                };
                self.at += length + "-->".len();
            } else if rest.starts_with('<') {
                if self
                    .raw
                    .is_some_and(|name| !rest.starts_with(&format!("</{name}")))
                {
                    self.at += 1;
                    continue;
                }
                return self.tag().map(Some);
            } else if rest.starts_with('&') && self.raw.is_none() && !is_reference(rest) {
                return Err(self.fault("write &amp; for a plain &"));
            } else {
                // What is none of these, up to where one of these may begin.
                let skip = rest.chars().next().map_or(1, char::len_utf8);
                let next = rest[skip..].find(['<', '&', '{']);
                self.at += next.map_or(rest.len(), |next| skip + next);
            }
        }
        Ok(None)
    }

    /// Reads the tag that begins here.
    fn tag(&mut self) -> Result<Tag<'s>, Fault> {
        let line = self.line_here();
        if self.rest().starts_with("<!") || self.rest().starts_with("<?") {
            return Err(self.fault("a theme can't hold doctypes, CDATA or processing instructions"));
        }
        let closing = self.rest().starts_with("</");
        self.at += if closing { 2 } else { 1 };
        let name = self.word();
        if name.is_empty() {
            return Err(self.fault("write &lt; for a plain <"));
        }
        let mut tag = Tag {
            name,
            line,
            closing,
            empty: false,
            attributes: Vec::new(),
        };
        loop {
            while self.rest().starts_with(|c: char| c.is_ascii_whitespace()) {
                self.at += 1;
            }
            if self.skip_jinja()? {
                continue;
            }
            if self.rest().starts_with("/>") {
                self.at += 2;
                tag.empty = true;
                break;
            } else if self.rest().starts_with('>') {
                self.at += 1;
                break;
            }
            let attribute = self.attribute()?;
            tag.attributes.push(attribute);
        }
        self.raw = if name == "mj-style" && !closing && !tag.empty {
            Some("mj-style")
        } else {
            None
        };
        Ok(tag)
    }

    /// Reads `name="value"`.
    fn attribute(&mut self) -> Result<Attribute<'s>, Fault> {
        let line = self.line_here();
        let name = self.word();
        if name.is_empty() {
            return Err(self.fault("this tag is not closed, or not well formed"));
        }
        let Some(after) = self.rest().strip_prefix("=\"") else {
            return Err(self.fault(format!(
                "the attribute “{name}” needs a value in double quotes"
            )));
        };
        self.at = self.source.len() - after.len();
        let mut value = String::new();
        loop {
            if self.skip_jinja()? {
                continue;
            }
            match self.rest().chars().next() {
                Some('"') => break,
                Some('<') | None => {
                    return Err(Fault {
                        line,
                        why: format!("the value of “{name}” is not closed"),
                    });
                }
                Some(c) => {
                    value.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        self.at += 1;
        Ok(Attribute { name, value, line })
    }

    /// A name; what Jinja adds to one (`<h{{ level }}>`) belongs to it.
    fn word(&mut self) -> &'s str {
        let start = self.at;
        loop {
            match (jinja(self.rest()), self.rest().chars().next()) {
                (Some(Some(length)), _) if self.at > start && self.rest().starts_with("{{") => {
                    self.at += length
                }
                (_, Some(c)) if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':') => {
                    self.at += 1
                }
                _ => return &self.source[start..self.at],
            }
        }
    }
}

impl<'s> Iterator for Tags<'s> {
    type Item = Result<Tag<'s>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_tag();
        if next.is_err() {
            self.at = self.source.len();
        }
        next.transpose()
    }
}

/// The length of the Jinja tag that a text begins with; `Some(None)` where it has no end.
fn jinja(text: &str) -> Option<Option<usize>> {
    let end = ["{{", "{%", "{#"]
        .iter()
        .zip(["}}", "%}", "#}"])
        .find(|(start, _)| text.starts_with(*start))?
        .1;
    Some(text[2..].find(end).map(|at| 2 + at + end.len()))
}

/// The files that `{% include "…" %}`, `{% import "…" %}` and `{% from "…" %}` name, each with its line.
pub(super) fn includes(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find("{%") {
        let start = at + start;
        let Some(end) = source[start + 2..].find("%}").map(|end| start + 2 + end) else {
            break;
        };
        let inside = source[start + 2..end].trim_matches(['-', '+', ' ', '\n']);
        let file = ["include", "import", "from", "extends"]
            .iter()
            .find_map(|word| inside.strip_prefix(word))
            .and_then(|rest| rest.split(['"', '\'']).nth(1));
        if let Some(file) = file {
            found.push((line_at(source, start), file));
        }
        at = end + 2;
    }
    found
}

/// Whether a text begins with a character reference such as `&nbsp;` or `&#8199;`.
fn is_reference(text: &str) -> bool {
    text[1..].split_once(';').is_some_and(|(name, _)| {
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.len() < 12 && name.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn line_at(source: &str, offset: usize) -> usize {
    source
        .as_bytes()
        .iter()
        .take(offset)
        .filter(|b| **b == b'\n')
        .count()
        + 1
}
