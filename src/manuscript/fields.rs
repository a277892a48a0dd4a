//! Personal fields: taken out before Markdown is parsed, put back afterwards.
//!
//! Each `{{ … }}` becomes one character that the text does not use elsewhere, taken from the private-use
//! planes. Markdown sees a letter there, so `{{ a*b }}` gets no emphasis and lines keep their numbers.
//! In running text the character turns into [`Inline::Field`]; anywhere else (code, addresses, alternative
//! texts), and where the braces hold no field that we know, it turns into what the author wrote.

use std::cell::Cell;
use std::collections::HashSet;
use std::ops::Range;

use crate::model::issue::{Field, Inline, Inlines};

/// The two private-use planes, from which stand-ins are drawn.
const STAND_INS: [std::ops::RangeInclusive<char>; 2] =
    ['\u{F0000}'..='\u{FFFFD}', '\u{100000}'..='\u{10FFFD}'];

/// Braces that hold more than this are no field; so that a text full of them is read quickly.
const LONGEST_BYTES: usize = 400;

/// What stood between one pair of braces.
pub(super) struct Found {
    stand_in: char,
    /// Braces and all, as the author wrote it.
    pub source: String,
    /// `None`: no field that we know, so it stays text.
    pub field: Option<Field>,
    /// From 1, within the text that was searched.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Whether it stands in code or in a comment, or behind a `$` as in GitHub's workflows: it is meant as it is
    /// written.
    is_literal: Cell<bool>,
}

impl Found {
    /// Whether the author meant a personal field, though it is none: it would reach everybody as braces.
    pub(super) fn is_mistaken(&self) -> bool {
        self.field.is_none()
            && !self.is_literal.get()
            && means_field(&self.source[2..self.source.len() - 2])
    }

    /// The personal field whose name is nearest.
    pub(super) fn nearest(&self) -> Option<&'static str> {
        nearest(split(&self.source[2..self.source.len() - 2]).0)
    }
}

/// The braces of one text, by their stand-ins.
#[derive(Default)]
pub(super) struct Fields(Vec<Found>);

impl Fields {
    /// Takes every pair of braces out of a text; gives the text with a stand-in for each.
    pub(super) fn take(text: &str) -> (String, Fields) {
        if !text.contains("{{") {
            return (text.to_owned(), Fields::default());
        }
        let used: HashSet<char> = text.chars().filter(|c| *c >= '\u{F0000}').collect();
        let mut free = STAND_INS
            .into_iter()
            .flatten()
            .filter(|c| !used.contains(c));
        let mut out = String::with_capacity(text.len());
        let mut fields = Fields::default();
        let hidden = hidden(text);
        let mut line_begins = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let mut rest = line;
            // Of what `rest` begins with.
            let mut column = 1;
            while let Some(start) = rest.find("{{") {
                let (before, from) = rest.split_at(start);
                out.push_str(before);
                rest = from;
                column += before.chars().count();
                let escaped = before.ends_with('\\');
                let Some((source, stand_in)) = whole(rest).filter(|_| !escaped).zip(free.next())
                else {
                    out.push('{');
                    rest = &rest[1..];
                    column += 1;
                    continue;
                };
                out.push(stand_in);
                let field = parse(&source[2..source.len() - 2]);
                let at = line_begins + line.len() - rest.len();
                let is_literal =
                    before.ends_with('$') || hidden.iter().any(|range| range.contains(&at));
                fields.0.push(Found {
                    stand_in,
                    source: source.to_owned(),
                    field,
                    line: index + 1,
                    column,
                    is_literal: Cell::new(is_literal),
                });
                rest = &rest[source.len()..];
                column += source.chars().count();
            }
            out.push_str(rest);
            line_begins += line.len();
        }
        (out, fields)
    }

    /// The inlines of a run of text.
    pub(super) fn inlines(&self, text: &str) -> Inlines {
        let mut out = Inlines::new();
        let mut plain = String::new();
        for c in text.chars() {
            match self.found(c) {
                None => plain.push(c),
                Some(Found {
                    field: None,
                    source,
                    ..
                }) => plain.push_str(source),
                Some(Found {
                    field: Some(field), ..
                }) => {
                    if !plain.is_empty() {
                        out.push(Inline::Text(std::mem::take(&mut plain)));
                    }
                    out.push(Inline::Field(field.clone()));
                }
            }
        }
        if !plain.is_empty() {
            out.push(Inline::Text(plain));
        }
        out
    }

    /// The text as the author wrote it, braces and all; says whether a field that we know stands in it.
    pub(super) fn restore(&self, text: &str) -> (String, bool) {
        let mut out = String::with_capacity(text.len());
        let mut known = false;
        for c in text.chars() {
            match self.found(c) {
                None => out.push(c),
                Some(found) => {
                    known |= found.field.is_some();
                    out.push_str(&found.source);
                }
            }
        }
        (out, known)
    }

    /// Notes that all in this text stands in code.
    pub(super) fn note_code(&self, text: &str) {
        for found in text.chars().filter_map(|c| self.found(c)) {
            found.is_literal.set(true);
        }
    }

    /// How many characters a text with stand-ins has as the author wrote it.
    pub(super) fn written_chars(&self, text: &str) -> usize {
        text.chars()
            .map(|c| {
                self.found(c)
                    .map_or(1, |found| found.source.chars().count())
            })
            .sum()
    }

    /// Everything that was found, in reading order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Found> {
        self.0.iter()
    }

    fn found(&self, c: char) -> Option<&Found> {
        // Stand-ins are handed out in rising order, so the list is sorted.
        let at = self.0.binary_search_by_key(&c, |f| f.stand_in).ok()?;
        self.0.get(at)
    }
}

/// Where a text is HTML that shows nothing, or shows code: comments, `<code>`, `<pre>`, scripts, styles.
fn hidden(text: &str) -> Vec<Range<usize>> {
    const PAIRS: [(&str, &str); 7] = [
        ("<!--", "-->"),
        ("<pre", "</pre"),
        ("<code", "</code"),
        ("<kbd", "</kbd"),
        ("<samp", "</samp"),
        ("<script", "</script"),
        ("<style", "</style"),
    ];
    let mut found = Vec::new();
    for (open, close) in PAIRS {
        let mut at = 0;
        while let Some(begin) = text[at..].find(open).map(|i| at + i)
            && let Some(end) = text[begin..].find(close).map(|i| begin + i)
        {
            found.push(begin..end);
            at = end;
        }
    }
    found
}

/// The inlines of a text that is not Markdown, such as a subject.
pub(super) fn plain_inlines(text: &str) -> (Inlines, Fields) {
    let (text, fields) = Fields::take(text);
    (fields.inlines(&text), fields)
}

/// The pair of braces that a text begins with, if they are closed on this line and look like a field:
/// code, markup and nested braces are left for Markdown to see.
fn whole(text: &str) -> Option<&str> {
    let mut near = text.len().min(LONGEST_BYTES);
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let inner = &text[2..text[..near].find("}}")?];
    let plausible = inner
        .trim_start()
        .starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !inner.contains(['{', '}', '`', '<', '\n', '\r']);
    plausible.then(|| &text[..inner.len() + 4])
}

/// Reads `name`, `email`, `name | default("reader")`.
fn parse(inner: &str) -> Option<Field> {
    let (name, filter) = match inner.split_once('|') {
        None => (inner, None),
        Some((name, filter)) => (name, Some(filter.trim())),
    };
    let default = match filter {
        None => String::new(),
        Some(filter) => quoted(filter.strip_prefix("default")?.trim_start())?,
    };
    match name.trim() {
        "name" => Some(Field::Name { default }),
        "email" => Some(Field::Email),
        _ => None,
    }
}

/// The names of the personal fields.
const NAMES: [&str; 2] = ["name", "email"];

/// Names under which other programs, and people from memory, have what a personal field holds. `_` and `-` are
/// left out.
#[rustfmt::skip]
const PERSONAL: &[&str] = &[
    "firstname", "lastname", "fname", "lname", "fullname", "forename", "surname", "givenname", "familyname",
    "nickname", "username", "displayname", "recipient", "recipientname", "recipientemail", "subscriber",
    "subscribername", "subscriberemail", "reader", "readername", "contact", "contactname", "customername",
    "membername", "emailaddress", "useremail", "toname", "toemail", "vorname", "nachname", "anrede", "salutation",
    "company", "city", "town", "country", "language", "birthday",
];

/// Whether braces were meant as a personal field: a lone word that is nearly the name of a field or is used for one
/// elsewhere, or anything with our `default(…)`. Whatever else stands in braces is the syntax of another
/// program: `{{ site.url }}`, `{{ content }}`, `{{ range .Pages }}`, `{{ page.title | escape }}`.
fn means_field(inner: &str) -> bool {
    let (word, rest) = split(inner);
    if let Some(filter) = rest.strip_prefix('|') {
        return is_our_filter(filter.trim_start()) || nearest(word).is_some();
    }
    let is_exact = NAMES.contains(&word);
    is_exact || (rest.is_empty() && (nearest(word).is_some() || is_personal(word)))
}

/// The word that an expression begins with, and what follows it.
fn split(inner: &str) -> (&str, &str) {
    let inner = inner.trim();
    let end = inner
        .find(|c: char| !c.is_alphanumeric() && !"_-.".contains(c))
        .unwrap_or(inner.len());
    (&inner[..end], inner[end..].trim_start())
}

/// `default("…")`, the word misspelt or not. Liquid's and Go's `default` have no bracket.
fn is_our_filter(filter: &str) -> bool {
    let (word, rest) = split(filter);
    rest.starts_with('(') && strsim::osa_distance("default", &word.to_lowercase()) <= 2
}

/// A word as it is compared: lower case, without `_` and `-`.
fn folded(word: &str) -> String {
    word.chars()
        .filter(|c| !"_-".contains(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The field whose name is one slip away: another case, a letter too many, too few, wrong or exchanged.
fn nearest(word: &str) -> Option<&'static str> {
    let word = folded(word);
    let mut sorted: Vec<char> = word.chars().collect();
    sorted.sort_unstable();
    NAMES.into_iter().find(|name| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        let is_mixed_up = letters == sorted && word.starts_with(&name[..1]);
        is_mixed_up || strsim::osa_distance(name, &word) <= 1
    })
}

fn is_personal(word: &str) -> bool {
    let word = folded(word);
    !word.contains('.')
        && PERSONAL.iter().any(|known| {
            let slips = if known.len() < 8 { 0 } else { 2 };
            strsim::osa_distance(known, &word) <= slips
        })
}

/// Reads `("text")` or `('text')`; a backslash takes the next character as it is.
fn quoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?.trim();
    let mut chars = inner.chars();
    let quote = chars.next().filter(|c| matches!(c, '"' | '\''))?;
    let mut out = String::new();
    loop {
        match chars.next()? {
            '\\' => out.push(chars.next()?),
            c if c == quote => break,
            c => out.push(c),
        }
    }
    chars.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(default: &str) -> Inline {
        Inline::Field(Field::Name {
            default: default.into(),
        })
    }

    #[test]
    fn the_three_forms_are_fields() {
        let (inlines, _) = plain_inlines(
            "Dear {{ name | default(\"reader\") }}, {{name}} <{{ email }}>{{name|default('x')}}",
        );
        let text = |t: &str| Inline::Text(t.into());
        assert_eq!(
            inlines,
            [
                text("Dear "),
                name("reader"),
                text(", "),
                name(""),
                text(" <"),
                Inline::Field(Field::Email),
                text(">"),
                name("x")
            ]
        );
    }

    #[test]
    fn other_braces_stay_as_they_were_written() {
        for text in [
            "{{ a*b }}",
            "{{}}",
            "{{ user.name }}",
            "{{ name",
            "{{{name}}}x",
            "{{ name | upper }}",
            "{name}",
        ] {
            let (inlines, _) = plain_inlines(text);
            let back: String = inlines
                .iter()
                .map(|i| {
                    if let Inline::Text(t) = i {
                        t.as_str()
                    } else {
                        "<field>"
                    }
                })
                .collect();
            assert_eq!(back.replace("<field>", "{{name}}"), text);
        }
    }

    #[test]
    fn a_stand_in_is_never_a_character_of_the_text() {
        let (text, fields) = Fields::take("\u{F0000}{{ name }}\u{F0001}");
        assert_eq!(text.chars().count(), 3);
        let (back, known) = fields.restore(&text);
        assert_eq!(back, "\u{F0000}{{ name }}\u{F0001}");
        assert!(known);
    }

    #[test]
    fn a_misspelt_field_is_told_from_the_syntax_of_others() {
        let mistaken = |text: &str| {
            let fields = Fields::take(text).1;
            let found: Vec<bool> = fields.iter().map(Found::is_mistaken).collect();
            found
        };
        for text in [
            "{{ nmae }}",
            "{{ Name }}",
            "{{nam}}",
            "{{ neam }}",
            "{{ emial }}",
            "{{ e-mail }}",
            "{{ EMAIL }}",
            "{{ first_name }}",
            "{{ frist_name }}",
            "{{ FirstName }}",
            "{{ city }}",
            "{{ nickname }}",
            "{{ naem | default(\"reader\") }}",
            "{{ subscriber.first_name | default('you') }}",
            "{{ name | defualt(\"reader\") }}",
            "{{ name | upper }}",
            "{{ name | default: \"you\" }}",
            "{{ name or \"you\" }}",
            "{{ name | default(reader) }}",
        ] {
            assert_eq!(mistaken(text), [true], "{text}");
        }
        for text in [
            "{{ site.url }}",
            "{{ page.title | escape }}",
            "{{ content }}",
            "{{ range .Pages }}",
            "{{ title }}",
            "{{ partial \"name\" . }}",
            "{{ user.name }}",
            "{{ message }}",
            "{{ page }}",
            "{{ date }}",
            "${{ name2 }}",
            "${{ nmae }}",
            "{{ content | default: 'x' }}",
            "{{ a*b }}",
            "{{ ref(\"x\") }}",
            "<!-- {{ nmae }} -->",
            "<code>{{ nmae }}</code>",
            "<pre>\nlet a = {{ nmae }}\n</pre>",
            "{{ name }}",
        ] {
            assert_eq!(mistaken(text), [false], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn taking_and_restoring_changes_nothing(text in "([{}a|\" \n*`]|name|default|\\{\\{ name \\}\\}|\u{F0000}){0,30}") {
            let (taken, fields) = Fields::take(&text);
            proptest::prop_assert_eq!(fields.restore(&taken).0, text);
        }
    }
}
