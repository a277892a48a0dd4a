//! Text parts as people read them.

use proptest::prelude::*;

use super::*;
use crate::compose::sample;
use crate::compose::theme::slots;
use crate::manuscript;

/// Links as the author wrote them.
fn untagged(url: &str) -> Vec<Piece> {
    vec![Piece::Text(url.to_owned())]
}

/// The text part of a Markdown text, merge fields as `{…}`, without masthead and footer.
fn written(markdown: &str) -> String {
    let issue = manuscript::read(markdown, "1.md", "1").unwrap().issue;
    let tag = |url: &str| vec![Piece::Text(url.replace("https://", "https://tagged."))];
    let pieces = text_of(&issue, &sample::list("Proof", "en"), "en", &tag);
    let whole: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field { field, .. } => format!("{{{field:?}}}"),
        })
        .collect();
    let start = whole.find("==\n\n").map_or(0, |at| at + 4);
    let end = whole
        .rfind("\n\n\n------------------------\n")
        .unwrap_or(whole.len());
    whole[start..end.max(start)].to_owned()
}

#[test]
fn the_frame_says_what_it_is_and_how_to_leave() {
    let issue = manuscript::read(
        "title: T\nnumber: 7\ndate: 2026-11-30\n\nHello.\n",
        "1.md",
        "1",
    )
    .unwrap()
    .issue;
    let pieces = text_of(&issue, &sample::list("Proof", "en"), "en", &untagged);
    let field = |field| Piece::Field {
        field,
        context: Context::Text,
    };
    let text = |t: &str| Piece::Text(t.to_owned());
    assert_eq!(
        pieces,
        [
            text(
                "T\nNo. 7 · 30 November 2026\n===\n\nHello.\n\n\n------------------------\nYou get Proof because "
            ),
            field(MergeField::Email),
            text(" has been subscribed to it\nsince "),
            field(MergeField::SubscribedSince),
            text(".\nUnsubscribe: <"),
            field(MergeField::Link(Purpose::Unsubscribe)),
            text(">\nLetterpress, Example Street 1\n12345 Example\n\nSent with Letterpress\n"),
        ]
    );
}

#[test]
fn a_cover_stands_below_the_title_in_words() {
    let text = "+++\ntitle = \"T\"\ncover = { src = \"c.png\", alt = \"A press by night\" }\n+++\n\nHello.\n";
    let issue = manuscript::read(text, "press.md", "press").unwrap().issue;
    let letter = slots::flat(&text_of(
        &issue,
        &sample::list("Proof", "en"),
        "en",
        &untagged,
    ));
    assert!(
        letter.starts_with("T\n===\n\n[A press by night]\n\nHello.\n"),
        "{letter}"
    );
}

#[test]
fn addresses_stand_below_their_block() {
    assert_eq!(
        written(
            "# Title\n\nSee [one](https://a.example) and [two](https://b.example), [one](https://a.example) again.\n\nOr [three](https://c.example).\n"
        ),
        "See one[1] and two[2], one[1] again.\n[1] <https://tagged.a.example>\n[2] <https://tagged.b.example>\n\nOr three.\n<https://tagged.c.example>"
    );
    assert_eq!(
        written(
            "# Title\n\n<https://a.example/x> and [write](mailto:a@b.example), [a@b.example](mailto:a@b.example), [up](#top).\n"
        ),
        "<https://tagged.a.example/x> and write[1], a@b.example, up.\n[1] <mailto:a@b.example>"
    );
}

#[test]
fn items_show_title_addresses_picture_card_and_comment() {
    let letter = "# Title\n\n## 2. Tools\n\n[**A press**](https://a.example/?q=1)**——**[a.example](https://a.example/)\n\n\
        ![cast iron](p.png)\n*Fig. 1*\n\n> [The page](https://a.example/)\n> Its beginning\n\nThe comment.\n\n\
        [**Another**](https://b.example)\n\n> [Card](https://c.example)\n";
    assert_eq!(
        written(letter),
        "\n2. Tools\n--------\n\nA press\n<https://tagged.a.example/?q=1>\na.example\n<https://tagged.a.example/>\n\n\
         [cast iron]\n\nFig. 1\n\n| The page\n| Its beginning\n\nThe comment.\n\nAnother\n<https://tagged.b.example>\n\n\
         | Card\n| <https://tagged.c.example>"
    );
}

#[test]
fn blocks_keep_their_form() {
    let letter = "# Title\n\n> a quotation of some length, which does not fit on one line of the page that we write\n>\n> - b\n\n\
        1. one\n2. two\n   - [x] done\n   - [ ] not\n\n```\nlet  x = 1;\n\n  y\n```\n\n***\n\n\
        x^2: E=mc<sup>2</sup>, `code`, **strong**, *soft*, ~~gone~~  \nnew line\n";
    assert_eq!(
        written(letter),
        "> a quotation of some length, which does not fit on one line of the page\n> that we write\n>\n> - b\n\n\
         1. one\n2. two\n   - [x] done\n   - [ ] not\n\n    let  x = 1;\n\n      y\n\n* * *\n\n\
         x^2: E=mc^2, `code`, *strong*, _soft_, ~gone~\nnew line"
    );
}

#[test]
fn tables_stand_in_columns_where_they_fit() {
    let table =
        "# Title\n\n| a | long head |\n|---|---|\n| [x](https://x.example) | 1 |\n| 中文 | 2 |\n";
    assert_eq!(
        written(table),
        "a    | long head\n----------------\nx[1] | 1\n中文 | 2\n[1] <https://tagged.x.example>"
    );
    let wide = format!(
        "# Title\n\n| a | b |\n|---|---|\n| {} | end |\n",
        "word ".repeat(30)
    );
    assert!(
        written(&wide).lines().all(|l| l.len() <= COLUMNS),
        "{}",
        written(&wide)
    );
}

#[test]
fn fields_stay_spots() {
    let text = written("# Title\n\nDear {{ name | default(\"reader\") }}, {{ email }}.\n");
    assert_eq!(text, "Dear {Name { default: \"reader\" }}, {Email}.");
}

proptest! {
    #[test]
    fn every_word_and_link_is_there_and_lines_are_clean(
        bits in proptest::collection::vec(
            prop_oneof![
                "[a-z]{1,12} ",
                "[你好世界，。]{1,30}",
                "[a-z0-9]{80,90} ",
                "\n\n(#{1,3} |> |- |1\\. |    |---|\\| a \\| b \\|\n\\|---\\|---\\|\n\\| )?",
                "[*_`~] ?",
                "\\[[a-z]{1,3}\\]\\(https://[a-z]{1,5}\\.example/[a-z]{0,70}\\)",
                Just("{{ name }}".to_owned()),
                Just("\u{3000}\u{A0}🦀 ".to_owned()),
            ],
            0..40,
        )
    ) {
        let markdown = format!("# Title\n\n{}\n", bits.concat());
        let issue = manuscript::read(&markdown, "1.md", "1").unwrap().issue;
        let pieces = text_of(&issue, &sample::list("Proof", "en"), "en", &untagged);
        let text: String = pieces.iter().map(|p| if let Piece::Text(t) = p { t.as_str() } else { "@" }).collect();
        // Readers' programs take quotation marks off, and joining lines must give the words again.
        let squeezed: String = text
            .lines()
            .flat_map(|l| l.trim_start_matches(|c: char| c.is_whitespace() || "|>".contains(c)).chars())
            .filter(|c| !c.is_whitespace())
            .collect();
        crate::model::issue::walk::parts(&issue.parts, &mut |seen| {
            use crate::model::issue::walk::Seen;
            match seen {
                Seen::Text(t) | Seen::Code(t) => {
                    for word in t.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
                        assert!(squeezed.contains(word), "{word} lost from\n{text}");
                    }
                }
                Seen::Link { url, .. } => assert!(squeezed.contains(&format!("<{url}>")), "{url} lost from\n{text}"),
                Seen::Image(_) | Seen::Anchor(_) => {}
            }
        });
        for line in text.lines() {
            prop_assert!(!line.ends_with(' '), "{line:?}");
        }
        prop_assert!(text.ends_with("\nSent with Letterpress\n"));
    }
}
