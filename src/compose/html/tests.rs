use scraper::{Html, Selector};

use crate::compose::pictures::Pictures;
use crate::compose::sample::{self, composed};
use crate::model::issue::Issue;
use crate::model::rendered::Piece;

/// A mail of an author's file, as HTML and as text.
fn mail(text: &str, theme: &str, language: &str) -> (String, String) {
    let issue = crate::manuscript::read(text, "1.md", "1").unwrap().issue;
    let (html, text, _) = parts(&issue, theme, language);
    (html, text)
}

fn parts(issue: &Issue, theme: &str, language: &str) -> (String, String, String) {
    let list = sample::list("A list", language);
    let made = composed(issue, theme, &list, &Pictures::default());
    let flat = |pieces: &[Piece]| {
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Field { .. } => "…",
            })
            .collect::<String>()
    };
    (
        flat(&made.rendered.html),
        flat(&made.rendered.text),
        flat(&made.rendered.subject),
    )
}

fn document(html: &str) -> Html {
    Html::parse_document(html)
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap())
        .map(|e| {
            let words = e.text().collect::<String>();
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn a_mail_speaks_its_own_language_throughout() {
    for (language, number, date, leave) in [
        ("de", "Nr. 7", "1. März 2026", "Abbestellen"),
        ("fr", "Nº 7", "1er mars 2026", "Se désabonner"),
        (
            "es",
            "N.º 7",
            "1 de marzo de 2026",
            "Cancelar la suscripción",
        ),
        ("ja", "第7号", "2026年3月1日", "配信を停止する"),
        ("ko", "제7호", "2026년 3월 1일", "구독 취소"),
        ("ar", "العدد 7", "1 مارس 2026", "إلغاء الاشتراك"),
    ] {
        for theme in ["magazine", "quiet"] {
            let issue = "title: T\nnumber: 7\ndate: 2026-03-01\n\nText.\n";
            let (html, text) = mail(issue, theme, language);
            let html = html.replace('\u{a0}', " ");
            for said in [number, date, leave] {
                assert!(html.contains(said), "{said} is not in {html}");
                assert!(text.contains(said), "{said} is not in {text}");
            }
            assert_eq!(
                document(&html)
                    .select(&Selector::parse("[lang]").unwrap())
                    .filter(|e| e.attr("lang") != Some(language))
                    .count(),
                0
            );
            assert_eq!(html.contains("dir=\"rtl\""), language == "ar");
        }
    }
}

#[test]
fn words_in_english_say_so_in_a_mail_of_another_language() {
    for (language, theme) in [
        ("it", "quiet"),
        ("fa", "quiet"),
        ("it", "magazine"),
        ("fa", "magazine"),
    ] {
        let issue = "title: T\nnumber: 7\ndate: 2026-03-01\n\n1. A\n2. B\n\n## A\n\nText.\n\n## B\n\nText.\n";
        let (html, _) = mail(issue, theme, language);
        let page = document(&html.replace('\u{a0}', " "));
        assert_eq!(page.root_element().attr("lang"), Some(language));
        let english = texts(&page, "[lang=en]").join(" | ");
        for said in [
            "No. 7",
            "1 March 2026",
            "Unsubscribe",
            "Sent with Letterpress",
        ] {
            assert!(english.contains(said), "{said} is not in {english}");
        }
    }
}
