//! Phrases as HTML: text escaped, what is filled in set apart.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};

use crate::model::List;
use crate::phrases::{Bit, bits, named};

/// What fills a placeholder.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// An address, which may break nowhere.
    Who(&'a str),
    /// Something that matters, such as a day.
    Strong(&'a str),
    /// A newsletter, whose name is in its own language.
    Newsletter(&'a List),
    /// Plain words.
    Words(&'a str),
}

/// A phrase that was filled in.
pub(super) struct Sentence(String);

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// [`sentence`] escapes everything that it is given.
impl HtmlSafe for Sentence {}

/// Fills a phrase in.
pub(super) fn sentence(phrase: &'static str, values: &[(&str, Value)]) -> Sentence {
    let mut out = String::new();
    for bit in bits(phrase) {
        match bit {
            Bit::Text(text) => out.push_str(&escaped(text)),
            Bit::Hole(hole) => {
                let name = if hole == "title" { "list" } else { hole };
                let value = values.iter().find(|(known, _)| *known == name);
                if let Some((_, value)) = value {
                    out.push_str(&value.html(hole));
                }
            }
        }
    }
    Sentence(out)
}

impl Value<'_> {
    fn html(self, hole: &str) -> String {
        match self {
            Value::Who(who) => format!("<b class=\"who\" dir=\"auto\">{}</b>", escaped(who)),
            Value::Strong(text) => format!("<b>{}</b>", escaped(text)),
            Value::Newsletter(list) => format!(
                "<span lang=\"{}\" dir=\"auto\">{}</span>",
                escaped(&list.language),
                escaped(named(hole, &list.name))
            ),
            Value::Words(text) => escaped(text),
        }
    }
}

fn escaped(text: &str) -> String {
    match escape(text, Html) {
        Ok(safe) => safe.to_string(),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_fills_a_phrase_is_escaped() {
        let said = sentence(
            "For {email}: <{day}>",
            &[
                ("email", Value::Who("\"<b>\"@x")),
                ("day", Value::Strong("1 & 2")),
            ],
        );
        assert_eq!(
            said.to_string(),
            "For <b class=\"who\" dir=\"auto\">&#34;&#60;b&#62;&#34;@x</b>: &#60;<b>1 &#38; 2</b>&#62;"
        );
    }
}
