//! What mailboxes show beside the subject where the author gives no preheader: how the letter begins.

use crate::model::issue::{Block, Body, Issue, Part, plain};

/// So many letters of the text are taken.
const PREHEADER_CHARS: usize = 110;

/// The first words of the letter, for what mailboxes show beside the subject.
pub(super) fn beginning(issue: &Issue) -> String {
    let mut words = String::new();
    for part in &issue.parts {
        match part {
            Part::Text(blocks) => words_of(blocks, &mut words),
            Part::Summary(groups) => groups
                .iter()
                .for_each(|group| words_of(&group.blocks, &mut words)),
            Part::Contents { intro, .. } => words_of(intro, &mut words),
            Part::Section(section) => {
                for body in &section.body {
                    match body {
                        Body::Text(blocks) => words_of(blocks, &mut words),
                        Body::Item(item) => {
                            words.push_str(&plain(&item.title));
                            words.push(' ');
                        }
                        Body::Card(_) => {}
                    }
                }
            }
            Part::Subscribe { .. } | Part::About { .. } => {}
        }
        if words.chars().count() > PREHEADER_CHARS {
            break;
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.join(" ");
    match words.char_indices().nth(PREHEADER_CHARS) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

fn words_of(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Paragraph(inlines) => {
                out.push_str(&plain(inlines));
                out.push(' ');
            }
            Block::List { items, .. } => items.iter().for_each(|item| words_of(&item.blocks, out)),
            Block::Quote(blocks) => words_of(blocks, out),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning_of(text: &str) -> String {
        beginning(&crate::manuscript::read(text, "1.md", "1").unwrap().issue)
    }

    #[test]
    fn the_first_words_are_taken_and_a_long_text_is_cut() {
        assert_eq!(
            beginning_of("title: T\n\nGood *morning*.\n\n- one\n- two\n\n> three\n"),
            "Good morning. one two three"
        );
        let long = beginning_of(&format!("title: T\n\n{}\n", "ä ".repeat(200)));
        assert_eq!(long.chars().count(), PREHEADER_CHARS);
        assert!(long.ends_with("ä…"), "{long}");
        assert_eq!(beginning_of("title: T\n"), "");
    }
}
