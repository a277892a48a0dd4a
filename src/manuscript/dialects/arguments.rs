//! The arguments of tags, shortcodes and components: `src="a.png" alt='x' 300, lang:rust`.

/// Arguments by their names, and those without.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Arguments {
    named: Vec<(String, String)>,
    bare: Vec<String>,
}

impl Arguments {
    /// Reads arguments that stand apart by white space or commas.
    pub(super) fn read(text: &str) -> Self {
        let mut out = Self::default();
        let mut rest = text.trim_start_matches(is_gap);
        while !rest.is_empty() {
            let before = rest.len();
            let (first, after) = word(rest);
            rest = after;
            let is_name = !first.is_quoted
                && first
                    .text
                    .starts_with(|c: char| c.is_alphabetic() || c == '_')
                && first
                    .text
                    .chars()
                    .all(|c| c.is_alphanumeric() || "_-.@".contains(c));
            let value = rest.trim_start();
            let sign = value.chars().next().filter(|c| matches!(c, '=' | ':'));
            if let (true, Some(sign)) = (is_name, sign) {
                let value = value[sign.len_utf8()..].trim_start();
                let (value, after) = word(value);
                out.named
                    .push((first.text.to_ascii_lowercase(), value.text));
                rest = after;
            } else if !first.text.is_empty() {
                out.bare.push(first.text);
            }
            let next = rest.trim_start_matches(is_gap);
            // A sign that begins no word is passed over, so that reading comes to its end.
            rest = if next.len() < before {
                next
            } else {
                next.char_indices().nth(1).map_or("", |(at, _)| &next[at..])
            };
        }
        out
    }

    /// The value of the first of these names that is given and not empty.
    pub(super) fn named(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let found = self.named.iter().find(|(key, _)| key == name)?;
            Some(found.1.as_str()).filter(|value| !value.is_empty())
        })
    }

    /// The arguments without a name.
    pub(super) fn bare(&self) -> &[String] {
        &self.bare
    }

    /// Every value, those with a name first.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        let named = self.named.iter().map(|(_, value)| value.as_str());
        named.chain(self.bare.iter().map(String::as_str))
    }

    /// Whether any argument has a name.
    pub(super) fn has_names(&self) -> bool {
        !self.named.is_empty()
    }
}

struct Word {
    text: String,
    is_quoted: bool,
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';')
}

/// The word that a text begins with, and what follows it.
fn word(text: &str) -> (Word, &str) {
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'));
    if let Some(quote) = quote {
        let mut out = String::new();
        let mut chars = text[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if quote != '`' => out.extend(chars.next().map(|(_, c)| c)),
                c if c == quote => {
                    let rest = &text[1 + at + c.len_utf8()..];
                    return (
                        Word {
                            text: out,
                            is_quoted: true,
                        },
                        rest,
                    );
                }
                c => out.push(c),
            }
        }
        return (
            Word {
                text: out,
                is_quoted: true,
            },
            "",
        );
    }
    if text.starts_with('{')
        && let Some(end) = text.find('}')
    {
        // A value of JSX: {300}, {"text"}.
        let inner = text[1..end].trim().trim_matches(['"', '\'', '`']);
        return (
            Word {
                text: inner.to_owned(),
                is_quoted: true,
            },
            &text[end + 1..],
        );
    }
    // An address holds signs that would end a name.
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    let ends = |c: char| {
        is_gap(c) && c != ';'
            || (!is_url && matches!(c, '=' | ':' | '"' | '\''))
            || matches!(c, ')' | '(')
    };
    let end = text.find(ends).unwrap_or(text.len());
    (
        Word {
            text: text[..end].to_owned(),
            is_quoted: false,
        },
        &text[end..],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_each_program_writes_them() {
        let hugo = Arguments::read(r#"src="a b.png" alt='An "a"' width=300 class="x""#);
        assert_eq!(hugo.named(&["src"]), Some("a b.png"));
        assert_eq!(
            (hugo.named(&["alt"]), hugo.named(&["width"])),
            (Some("An \"a\""), Some("300"))
        );
        let zola = Arguments::read("\n    id=\"w7\",\n    autoplay=true\n");
        assert_eq!((zola.named(&["id"]), zola.bare().len()), (Some("w7"), 0));
        let hexo = Arguments::read(
            "[left] /images/a.png 100 200 \"A title\" lang:rust https://a.example/b?c=d:e",
        );
        assert_eq!(
            hexo.bare()[1..],
            [
                "/images/a.png",
                "100",
                "200",
                "A title",
                "https://a.example/b?c=d:e"
            ]
        );
        assert_eq!(hexo.named(&["lang"]), Some("rust"));
        let jsx = Arguments::read("id={12} name={\"x\"} open");
        assert_eq!(
            (jsx.named(&["id"]), jsx.named(&["name"])),
            (Some("12"), Some("x"))
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "(\\PC|[=:,;\"'`{}() ]|a|https://){0,30}") {
            let _ = Arguments::read(&text);
        }
    }
}
