use scraper::{Html, Selector};

use super::pictures::Pictures;
use super::sample::{self, composed};
use super::{CLIPPED_BYTES, bytes};
use crate::model::issue::*;
use crate::model::rendered::{Context, MergeField, Piece, Purpose};

const THEMES: [&str; 2] = ["magazine", "quiet"];

fn html_of(issue: &Issue, theme: &str) -> String {
    filled(
        &composed(
            issue,
            theme,
            &sample::list("A list", "en"),
            &Pictures::default(),
        )
        .rendered
        .html,
    )
}

/// The pieces as one person gets them.
fn filled(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Field {
                field: MergeField::Email,
                ..
            } => "mei@example.com",
            Piece::Field {
                field: MergeField::SubscribedSince,
                ..
            } => "2 March 2026",
            Piece::Field {
                field: MergeField::Name { default },
                ..
            } => default,
            Piece::Field { .. } => "https://letters.example/unsubscribe/t",
        })
        .collect()
}

/// Everything that a reader of the document sees, white space taken out.
fn words(html: &str) -> String {
    let body = Html::parse_document(html);
    let select = Selector::parse("body").unwrap();
    let text: String = body
        .select(&select)
        .flat_map(|e| e.text().collect::<Vec<_>>())
        .collect();
    text.split_whitespace().collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

fn hrefs(html: &str) -> Vec<String> {
    let select = Selector::parse("a").unwrap();
    let document = Html::parse_document(html);
    document
        .select(&select)
        .filter_map(|a| a.attr("href").map(str::to_owned))
        .collect()
}

fn issue(parts: Vec<Part>) -> Issue {
    Issue {
        meta: Meta {
            title: "A title".into(),
            ..Meta::default()
        },
        parts,
        slug: "001".into(),
    }
}

#[test]
fn an_issue_without_a_title_bears_the_name_of_its_list() {
    let list = sample::list("Proof", "en");
    let named = |number, date| {
        let mut issue = issue(Vec::new());
        issue.meta.title.clear();
        (issue.meta.number, issue.meta.date) = (number, date);
        super::name_by_list(&mut issue, &list);
        (issue.meta.title, plain(&issue.meta.subject))
    };
    let date = jiff::civil::date(2026, 11, 30);
    assert_eq!(
        named(Some(7), Some(date)),
        ("Proof".into(), "Proof #7".into())
    );
    assert_eq!(
        named(None, Some(date)),
        ("Proof".into(), "Proof, 30 November 2026".into())
    );
    assert_eq!(named(None, None), ("Proof".into(), String::new()));
    let mut titled = issue(Vec::new());
    super::name_by_list(&mut titled, &list);
    assert_eq!(
        (titled.meta.title.as_str(), titled.meta.subject.len()),
        ("A title", 0)
    );
}

#[test]
fn a_number_and_a_date_that_the_title_says_do_not_stand_beside_it() {
    let mut issue = issue(Vec::new());
    issue.meta.title = "Proof 610 of 30 November 2026".into();
    issue.meta.number = Some(610);
    issue.meta.date = Some(jiff::civil::date(2026, 11, 30));
    (issue.meta.is_number_in_title, issue.meta.is_date_in_title) = (true, true);
    for theme in THEMES {
        let seen = words(&html_of(&issue, theme));
        assert_eq!(seen.matches("610").count(), 1, "{theme}: {seen}");
        assert_eq!(seen.matches("30November2026").count(), 1, "{theme}: {seen}");
    }
}

#[test]
fn a_whole_weekly_stays_under_what_gmail_cuts() {
    let issue = sample::weekly();
    for theme in THEMES {
        let list = sample::list("Akira's Machine Learning News", "zh-Hans");
        let size = bytes(
            &composed(&issue, theme, &list, &sample::pictures())
                .rendered
                .html,
        );
        assert!(size < CLIPPED_BYTES, "{theme}: {size} bytes");
    }
}

#[test]
fn a_letter_of_many_items_is_set_denser_before_it_would_be_cut() {
    let items = |n: usize| {
        let mut issue = sample::weekly();
        let Some(Part::Section(section)) = issue.parts.get_mut(4) else {
            panic!("the third section")
        };
        let first = section.body[0].clone();
        section.body = vec![first; n];
        issue
    };
    let list = sample::list("A list", "zh-Hans");
    let size = |n| {
        bytes(
            &composed(&items(n), "magazine", &list, &sample::pictures())
                .rendered
                .html,
        )
    };
    let open_item = (size(12) - size(6)) / 6;
    let uncut = size(6) + 18 * open_item;
    assert!(
        uncut > CLIPPED_BYTES,
        "the test needs a longer letter: {uncut} bytes"
    );
    assert!(
        size(24) < CLIPPED_BYTES,
        "24 items: {} bytes, not {uncut}",
        size(24)
    );
}

#[test]
fn ranks_of_headings_are_never_skipped_and_one_h1_stands_first() {
    for theme in THEMES {
        for issue in [sample::weekly(), sample::everything()] {
            let html = html_of(&issue, theme);
            let document = Html::parse_document(&html);
            let select = Selector::parse("h1,h2,h3,h4,h5,h6").unwrap();
            let ranks: Vec<u8> = document
                .select(&select)
                .map(|h| h.value().name().as_bytes()[1] - b'0')
                .collect();
            assert_eq!(
                ranks.iter().filter(|r| **r == 1).count(),
                1,
                "{theme}: {ranks:?}"
            );
            assert!(ranks.len() > 5 && ranks[0] == 1, "{theme}: {ranks:?}");
            assert!(
                ranks.windows(2).all(|w| w[1] <= w[0] + 1),
                "{theme}: {ranks:?}"
            );
        }
    }
}

#[test]
fn no_word_and_no_link_of_any_part_is_lost() {
    let issue = sample::everything();
    for theme in THEMES {
        let composed = composed(
            &issue,
            theme,
            &sample::list("A list", "en"),
            &sample::pictures(),
        );
        for document in [filled(&composed.rendered.html), filled(&composed.mjml)] {
            let seen = words(&document);
            let links = hrefs(&document);
            for n in 1..=sample::WORDS {
                let word = format!("word{n}.");
                assert!(seen.contains(&word), "{theme} lost {word}");
            }
            for n in 1..=sample::LINKS {
                let url = format!("https://link.example/{n}?");
                assert!(
                    links.iter().any(|link| link.starts_with(&url)),
                    "{theme} lost {url}"
                );
            }
        }
    }
}

#[test]
fn every_picture_has_alt_width_and_height_and_tables_are_for_layout_only() {
    let pictures = sample::pictures();
    for theme in THEMES {
        let html = filled(
            &composed(
                &sample::weekly(),
                theme,
                &sample::list("L", "zh"),
                &pictures,
            )
            .rendered
            .html,
        );
        let document = Html::parse_document(&html);
        let images: Vec<_> = document
            .select(&Selector::parse("img").unwrap())
            .map(|e| e.value().clone())
            .collect();
        assert_eq!(images.len(), 8);
        for image in images {
            assert!(
                image.attr("alt").is_some()
                    && image.attr("width").is_some()
                    && image.attr("height").is_some()
            );
            assert!(
                image
                    .attr("src")
                    .unwrap()
                    .starts_with("https://letters.example/media/")
            );
        }
        for table in document.select(&Selector::parse("table").unwrap()) {
            assert_eq!(table.attr("role"), Some("presentation"));
        }
    }
}

#[test]
fn a_missing_picture_leaves_its_words_and_no_broken_box() {
    let image = Image {
        src: "gone.png".into(),
        alt: "A lost drawing".into(),
        ..Image::default()
    };
    let bare = Image {
        src: "bare.png".into(),
        ..Image::default()
    };
    let item = Item {
        title: sample::text("Title"),
        url: "https://a.example/".into(),
        source: None,
        image: Some(image.clone()),
        caption: sample::text("Its caption"),
        card: None,
        comment: Vec::new(),
        line: 1,
    };
    let issue = issue(vec![
        Part::Text(vec![
            Block::Figure {
                image: image.clone(),
                link: None,
                caption: Vec::new(),
            },
            Block::Figure {
                image: bare,
                link: None,
                caption: Vec::new(),
            },
            Block::Paragraph(vec![Inline::Image(image)]),
        ]),
        Part::Section(Section {
            number: None,
            heading: sample::text("S"),
            level: 1,
            body: vec![Body::Item(Box::new(item))],
        }),
    ]);
    for theme in THEMES {
        let html = html_of(&issue, theme);
        assert!(!html.contains("<img"), "{theme}");
        assert_eq!(
            words(&html).matches("Alostdrawing").count(),
            4,
            "{theme}, the preheader among them"
        );
        assert!(
            words(&html).contains("Itscaption") && words(&html).contains("bare.png"),
            "{theme}"
        );
    }
}

#[test]
fn dangerous_links_are_shown_and_lead_nowhere() {
    let dangerous = [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "\u{1}javascript:x",
        "//x.example",
        "/path",
        "file:///x",
    ];
    let plain = ["mailto:a@b.example?subject=Hi%20there", "tel:+1555"];
    let links = dangerous
        .iter()
        .chain(&plain)
        .map(|url| sample::link("here", url))
        .collect();
    let html = html_of(
        &issue(vec![Part::Text(vec![Block::Paragraph(links)])]),
        "quiet",
    );
    let hrefs = hrefs(&html);
    assert_eq!(
        hrefs.iter().filter(|h| plain.contains(&h.as_str())).count(),
        plain.len()
    );
    for url in dangerous {
        assert!(!hrefs.iter().any(|h| h == url), "{url} can be followed");
        assert!(
            words(&html).contains(&url.replace('\u{1}', "")),
            "{url} is not shown"
        );
    }
}

#[test]
fn personal_fields_are_spots_in_their_contexts() {
    let name = || {
        Inline::Field(Field::Name {
            default: "reader".into(),
        })
    };
    let mut issue = issue(vec![Part::Text(vec![Block::Paragraph(vec![
        Inline::Text("Dear ".into()),
        name(),
        Inline::Strong(vec![Inline::Field(Field::Email)]),
    ])])]);
    issue.meta.subject = vec![
        Inline::Text("For ".into()),
        name(),
        Inline::Text("\r\nBcc: x".into()),
    ];
    let rendered = composed(
        &issue,
        "magazine",
        &sample::list("L", "en"),
        &Pictures::default(),
    )
    .rendered;
    let field = |field: MergeField, context| Piece::Field { field, context };
    let reader = MergeField::Name {
        default: "reader".into(),
    };
    assert_eq!(
        rendered.subject,
        [
            Piece::Text("For ".into()),
            field(reader.clone(), Context::Text),
            Piece::Text("  Bcc: x".into())
        ]
    );
    assert!(rendered.html.contains(&field(reader, Context::Html)));
    assert!(
        rendered
            .html
            .contains(&field(MergeField::Email, Context::Html))
    );
    assert!(rendered.html.contains(&field(
        MergeField::Link(Purpose::Unsubscribe),
        Context::Html
    )));
}

#[test]
fn language_and_direction_stand_on_the_document() {
    for (language, dir, word) in [
        ("zh-Hans", "ltr", "退订"),
        ("ar", "rtl", "إلغاءالاشتراك"),
        ("fa", "rtl", "Unsubscribe"),
        ("de", "ltr", "Abbestellen"),
    ] {
        let mut issue = sample::everything();
        issue.meta.language = Some(language.into());
        for theme in THEMES {
            let html = html_of(&issue, theme);
            let document = Html::parse_document(&html);
            let root = document.root_element().value().clone();
            assert_eq!(
                (root.attr("lang"), root.attr("dir")),
                (Some(language), Some(dir)),
                "{theme}"
            );
            assert!(words(&html).contains(word), "{theme} {language}");
        }
    }
}

#[test]
fn latin_words_in_a_letter_from_right_to_left_keep_their_order() {
    let link = Inline::Link {
        url: "https://a.example/b/".into(),
        title: String::new(),
        children: sample::text("a.example/b/"),
        line: 1,
    };
    let blocks = vec![
        Block::Paragraph(sample::text("A sentence.")),
        Block::Paragraph(sample::text("جملة قصيرة about FLOPs.")),
        Block::Paragraph(vec![Inline::Text("انظر ".into()), link]),
        Block::Code {
            info: String::new(),
            literal: "widen(2)".into(),
        },
    ];
    for theme in THEMES {
        let mut issue = issue(vec![Part::Text(blocks.clone())]);
        issue.meta.language = Some("ar".into());
        let document = Html::parse_document(&html_of(&issue, theme));
        let told = |selector: &str| -> Vec<String> {
            let select = Selector::parse(selector).unwrap();
            document
                .select(&select)
                .map(|e| e.text().collect())
                .collect()
        };
        assert_eq!(told(".t p[dir=ltr]"), ["A sentence."], "{theme}");
        assert_eq!(told("a bdi[dir=ltr]"), ["a.example/b/"], "{theme}");
        assert_eq!(told("pre[dir=ltr]"), ["widen(2)"], "{theme}");
    }
}

#[test]
fn nothing_is_asked_of_a_third_party() {
    for theme in THEMES {
        let html = html_of(&sample::everything(), theme);
        for word in ["fonts.googleapis", "<link", "@import", "<script", "url("] {
            assert!(!html.contains(word), "{theme}: {word}");
        }
    }
}

#[test]
fn an_unknown_theme_is_named_with_those_that_exist() {
    let error = super::Theme::load("magazin", None).unwrap_err().to_string();
    assert!(
        error.contains("magazin") && error.contains("magazine, quiet"),
        "{error}"
    );
    assert!(super::Theme::load("../etc", None).is_err());
}

#[test]
fn a_copy_beside_the_letter_wins_and_its_faults_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let mine = dir.path().join("quiet");
    std::fs::create_dir(&mine).unwrap();
    let manifest = "[light]\nink = \"#000000\"\n[dark]\nink = \"#FFFFFF\"\n[size]\n";
    std::fs::write(mine.join("theme.toml"), manifest).unwrap();
    let layout = "<mjml>\r\n<mj-body><mj-section><mj-column><mj-text>{{ masthead.title }} mine</mj-text>\
                  </mj-column></mj-section></mj-body></mjml>";
    std::fs::write(mine.join("layout.mjml"), layout).unwrap();
    let load = || super::Theme::load("quiet", Some(dir.path()));
    assert!(load().is_ok());
    std::fs::write(
        mine.join("layout.mjml"),
        layout.replace("mj-text", "mj-txt"),
    )
    .unwrap();
    assert!(
        load()
            .unwrap_err()
            .to_string()
            .contains("quiet/layout.mjml:2")
    );
    std::fs::write(
        mine.join("layout.mjml"),
        layout.replace("masthead", "mastehad"),
    )
    .unwrap();
    let theme = load().unwrap();
    let error = theme
        .set(
            "en",
            super::Density::Open,
            minijinja::context! {},
            &super::Slots::default(),
        )
        .unwrap_err();
    assert!(error.to_string().contains("quiet/layout.mjml:2"), "{error}");
    std::fs::write(
        mine.join("theme.toml"),
        manifest.replace("[size]", "[sizes]"),
    )
    .unwrap();
    assert!(
        load()
            .unwrap_err()
            .to_string()
            .contains("quiet/theme.toml:5")
    );
}

#[test]
fn hostile_content_stays_in_its_place() {
    let long = "W".repeat(10_000);
    let hostile = [
        "<b>bold</b>",
        "\"quoted' &amp; \\ back",
        "\u{202e}reversed",
        "lpT0x lpT1x",
        "{{ light.ink }} {% raw %}",
        "</td></table>",
        "-->",
        "]]>",
        "a\u{fe0f}\u{200d}b\u{3000}c",
        &long,
        "{gap}",
    ];
    for text in hostile {
        let mut issue = issue(vec![Part::Text(vec![sample::paragraph(text)])]);
        issue.meta.title = text.into();
        issue.meta.preheader = sample::text(text);
        for theme in THEMES {
            let html = html_of(&issue, theme);
            let seen = words(&html).matches(&squeezed(text)).count();
            assert!(seen >= 3, "{theme}: {text:.40} seen {seen} times");
            let document = Html::parse_document(&html);
            let title = document
                .select(&Selector::parse("title").unwrap())
                .next()
                .unwrap();
            assert_eq!(squeezed(&title.text().collect::<String>()), squeezed(text));
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Whatever stands in the issue, a reader of the HTML gets exactly it, in every kind of place.
    #[test]
    fn any_text_survives_in_any_place(text in "[^\\p{Cc}\\s]{1,40}", url in "[^\\p{Cc}\\s\u{fffe}]{1,30}") {
        let inline = |t: &str| vec![Inline::Text(t.to_owned())];
        let url = format!("https://x.example/{url}");
        let image = Image { src: format!("http://i.example/{text}"), alt: text.clone(), title: text.clone(), ..Image::default() };
        let blocks = vec![
            Block::Heading { level: 3, inlines: inline(&text) },
            Block::Paragraph(vec![Inline::Link { url: url.clone(), title: text.clone(), children: inline(&text), line: 0 }]),
            Block::Code { info: text.clone(), literal: text.clone() },
            Block::Figure { image, link: Some(url.clone()), caption: inline(&text) },
            Block::Table { align: vec![Align::None], head: vec![inline(&text)], rows: vec![vec![vec![Inline::Code(text.clone())]]] },
        ];
        let html = html_of(&issue(vec![Part::Text(blocks)]), "magazine");
        let document = Html::parse_document(&html);
        for place in ["h2", "p a", "pre", "th", "td code"] {
            let select = Selector::parse(place).unwrap();
            let found: Vec<String> = document.select(&select).map(|e| e.text().collect()).collect();
            proptest::prop_assert!(found.contains(&text), "{} holds {:?}", place, found);
        }
        let link = document.select(&Selector::parse("p a[title]").unwrap()).next().unwrap();
        proptest::prop_assert_eq!(link.attr("title"), Some(text.as_str()));
        let href = link.attr("href").unwrap();
        let kept = url.split(['?', '#']).next().unwrap();
        proptest::prop_assert!(href.starts_with(kept), "{} became {}", url, href);
        let picture = document.select(&Selector::parse("img").unwrap()).next().unwrap();
        proptest::prop_assert_eq!(picture.attr("alt"), Some(text.as_str()));
        let src = format!("http://i.example/{text}");
        proptest::prop_assert_eq!(picture.attr("src"), Some(src.as_str()));
    }
}
