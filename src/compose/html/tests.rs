use scraper::{Element as _, Html, Selector};

use crate::compose::pictures::Pictures;
use crate::compose::sample::{self, composed};
use crate::model::issue::Issue;
use crate::model::rendered::Piece;

/// A mail of an author's file, as HTML and as text.
fn mail(text: &str, theme: &str, language: &str) -> (String, String) {
    let issue = crate::manuscript::read(text, "an-issue.md", "an-issue")
        .unwrap()
        .issue;
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

/// Every link within a mail, and the words of the place that it leads to; panics where there is none.
fn inner_links(html: &str) -> Vec<(String, String)> {
    let page = document(html);
    let mut ids: Vec<&str> = page
        .select(&Selector::parse("[id]").unwrap())
        .filter_map(|e| e.attr("id"))
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    page.select(&Selector::parse("a[href^='#']").unwrap())
        .map(|a| {
            let name = &a.attr("href").unwrap()[1..];
            let place = page
                .select(&Selector::parse("[id]").unwrap())
                .find(|e| e.attr("id") == Some(name))
                .unwrap_or_else(|| panic!("#{name} leads nowhere in {html}"));
            let around = place
                .ancestors()
                .filter_map(scraper::ElementRef::wrap)
                .find(|e| matches!(e.value().name(), "h1" | "h2" | "h3" | "p" | "li" | "td"))
                .unwrap_or(place);
            let words = |e: scraper::ElementRef| e.text().collect::<String>();
            let place = if words(place).is_empty() {
                around
            } else {
                place
            };
            (words(a), words(place).trim().to_owned())
        })
        .collect()
}

#[test]
fn links_within_a_mail_lead_to_their_places() {
    let text = "title: T\n\nSee [numbers](#stats), [text](#text), [far](#the-far-end), [cell](#cell), [统](#统计), \
        [nowhere](#nowhere) and [top](#top).\n\n## Text\n\nWords.\n\n## Numbers {#stats}\n\nWords.\n\n\
        <a name=\"cell\"></a>\n\n### [The far end](https://a.example/)\n\nWords.\n\n## 统计\n\nWords.\n\n\
        <h3 id=\"part1\">An id of ours</h3>\n\n[Ours](#part1)\n";
    for theme in ["magazine", "quiet"] {
        let (html, text) = mail(text, theme, "en");
        let links = inner_links(&html);
        let leads = |words: &str| {
            let found = links.iter().find(|(link, _)| link == words);
            found.map(|(_, place)| place.as_str()).unwrap_or_default()
        };
        assert_eq!(leads("numbers"), "Numbers");
        assert_eq!(leads("text"), "Text");
        assert_eq!(leads("far"), "The far end");
        assert_eq!(leads("cell"), "The far end");
        assert_eq!(leads("统"), "统计");
        assert_eq!(leads("top"), "T");
        assert_eq!(leads("Ours"), "An id of ours");
        assert_eq!(leads("nowhere"), "");
        assert!(
            !html.contains("{#stats}") && html.contains("id=\"stats\""),
            "{html}"
        );
        assert!(
            text.contains("See numbers, text, far, cell, 统, nowhere and top."),
            "{text}"
        );
        assert!(!text.contains("[1]") && !text.contains('#'), "{text}");
    }
}

#[test]
fn footnotes_are_numbered_in_order_and_linked_both_ways() {
    let text = "title: T\n\nWords.[^dandelion] See [the list](https://a.example/l) now[^2].\n\n\
        ## Next\n\nAgain.[^dandelion] And *more*.[^z]\n\n[^z]: Third.\n[^2]: Second, with [a link](https://b.example/).\n\
        [^dandelion]: First.\n[^unused]: Nobody refers to it.\n";
    let (html, text) = mail(text, "quiet", "en");
    let links = inner_links(&html);
    let marks: Vec<&str> = links.iter().map(|(words, _)| words.as_str()).collect();
    assert_eq!(marks, ["1", "2", "1", "3", "1.", "2.", "3."]);
    let page = document(&html);
    assert_eq!(texts(&page, "sup"), ["1", "2", "1", "3"]);
    assert!(
        texts(&page, "p").contains(&"1. First.".to_owned()),
        "{html}"
    );
    assert!(texts(&page, "p").contains(&"4. Nobody refers to it.".to_owned()));
    assert!(!html.contains("dandelion") && !text.contains("dandelion"));
    assert!(text.contains("Words.¹ See the list[1] now²."), "{text}");
    assert!(
        text.contains("\n¹ First.\n\n² Second, with a link.\n"),
        "{text}"
    );
    assert!(
        text.contains("\n³ Third.\n\n⁴ Nobody refers to it.\n"),
        "{text}"
    );
}

#[test]
fn both_parts_link_to_the_same_schemes() {
    let text = "title: T\n\n[c](webcal://a.example/b.ics) · [f](feed:https://a.example/rss) · [g](geo:52.5,13.4) · \
        [p](ftp://a.example/) · [t](tg://resolve?domain=x)\n\n[j](javascript:alert(1)) [d](data:text/html,x) \
        [v](vbscript:x) [l](file:///etc/passwd)\n";
    let (html, text) = mail(text, "quiet", "en");
    for url in [
        "webcal://a.example/b.ics",
        "feed:https://a.example/rss",
        "geo:52.5,13.4",
        "ftp://a.example/",
        "tg://resolve?domain=x",
    ] {
        assert!(
            html.contains(&format!("href=\"{url}\"")),
            "{url} is no link in {html}"
        );
        assert!(
            text.contains(&format!("<{url}>")),
            "{url} is no link in {text}"
        );
    }
    for bad in ["javascript:", "data:", "vbscript:", "file:"] {
        assert!(!html.contains(&format!("href=\"{bad}")), "{html}");
        assert!(!text.contains(&format!("<{bad}")), "{text}");
    }
}

#[test]
fn an_address_shows_its_letters_and_keeps_its_bytes() {
    let url = "https://zh.wikipedia.org/wiki/%E5%89%A9%2F";
    let (html, text) = mail(&format!("title: T\n\nSee {url} now.\n"), "quiet", "zh");
    assert!(html.contains(&format!("href=\"{url}?utm_")), "{html}");
    assert_eq!(
        texts(&document(&html), "a[href*=wikipedia]"),
        ["https://zh.wikipedia.org/wiki/剩%2F"]
    );
    assert!(
        text.contains("See https://zh.wikipedia.org/wiki/剩%2F[1] now."),
        "{text}"
    );
    assert!(text.contains(&format!("[1] <{url}?utm_")), "{text}");
}

#[test]
fn remarks_emoji_and_definitions_are_not_printed_raw() {
    let text = "title: T\n\n> [!NOTE]\n> Remember *this*.\n\n> [!WARNING] Hot\n> Beware.\n\nDone :tada:, at 10:100:20, \
        `:tada:` and :nonsense:.\n\nTerm\n: Its meaning.\n: Another.\n\nOther *term*\n: A third.\n";
    for (language, note) in [("en", "Note"), ("ja", "メモ")] {
        for theme in ["magazine", "quiet"] {
            let (html, text) = mail(text, theme, language);
            let page = document(&html);
            let bold = texts(&page, "p[style*='font-weight:700']");
            assert!(
                bold.contains(&note.to_owned()) && bold.contains(&"Hot".to_owned()),
                "{bold:?}"
            );
            assert_eq!(texts(&page, "dt"), ["Term", "Other term"]);
            assert_eq!(texts(&page, "dd"), ["Its meaning.Another.", "A third."]);
            assert!(!html.contains("[!"), "{html}");
            assert!(html.contains("Done 🎉, at 10:100:20, "), "{html}");
            assert!(html.contains(":tada:</code>") && html.contains(":nonsense:"));
            assert!(
                text.contains(&format!("| *{note}*\n| Remember _this_.")),
                "{text}"
            );
            assert!(text.contains("| *Hot*\n| Beware."), "{text}");
            assert!(text.contains("Term\n    Its meaning."), "{text}");
        }
    }
}

#[test]
fn lists_of_terms_and_folded_text_in_html_are_set_alike() {
    let text = "title: T\n\n<dl><dt>One</dt><dt>Two</dt><dd>Both.</dd><div><dt>Three</dt><dd><p>A.</p><p>B.</p></dd></div></dl>\n\n\
        <details><summary>More</summary>\n\nHidden.\n\n</details>\n\n[![a picture](https://a.example/x.png)](#end)\n\n\
        <p id=\"end\">The end.</p>\n";
    let (html, text) = mail(text, "quiet", "en");
    let page = document(&html);
    assert_eq!(texts(&page, "dt"), ["One", "Two", "Three"]);
    assert_eq!(texts(&page, "dd"), ["Both.", "A.B."]);
    assert_eq!(texts(&page, "strong"), ["More"]);
    assert_eq!(inner_links(&html).len(), 1);
    assert!(text.contains("One\nTwo\n    Both."), "{text}");
}

#[test]
fn a_film_is_named_by_its_author_or_by_where_it_is_shown() {
    let text = "title: T\n\n## Films\n\n### [Talk](https://a.example/talk)\n\n\
        <iframe src=\"https://www.youtube-nocookie.com/embed/x\" title=\"YouTube video player\"></iframe>\n\nA talk.\n\n\
        <iframe src=\"https://www.youtube.com/embed/y\" title=\"Fish in the sea\"></iframe>\n\n\
        <video src=\"https://a.example/4.mp4\" controls></video>\n";
    for theme in ["magazine", "quiet"] {
        let (html, text) = mail(text, theme, "en");
        let links = texts(&document(&html), "a");
        for name in ["Video on YouTube", "Fish in the sea", "Video"] {
            assert!(
                links.contains(&name.to_owned()),
                "{name} is not in {links:?}"
            );
            assert!(text.contains(name), "{text}");
        }
        assert!(!html.contains("video player"), "{html}");
    }
}

/// How many sections of two columns a mail has.
fn pairs(html: &str) -> usize {
    html.matches("class=\"w ").count() + html.matches("class=\"w\"").count()
}

#[test]
fn items_that_would_leave_a_hole_stand_across_the_column() {
    let items = |comments: &[&str]| {
        let all = comments.iter().enumerate();
        let text: String = all
            .map(|(i, comment)| format!("### [Item {i}](https://a.example/{i})\n\n{comment}\n\n"))
            .collect();
        mail(&format!("title: T\n\n## S\n\n{text}"), "magazine", "en").0
    };
    assert_eq!(pairs(&items(&["Short."; 4])), 2);
    assert_eq!(pairs(&items(&["Short."; 5])), 2, "the first stands alone");
    assert_eq!(
        pairs(&items(&["Short.", "```\ncode\n```", "Short.", "Short."])),
        0
    );
    let long = "A sentence of some length. ".repeat(20);
    assert_eq!(pairs(&items(&["Short.", &long, "Short.", "Short."])), 0);
}

#[test]
fn a_masthead_without_a_number_keeps_its_end_side() {
    let (with, _) = mail("title: T\nnumber: 7\n\nText.\n", "magazine", "en");
    assert!(with.contains("padding:0 10px 0 30px"), "{with}");
    for language in ["en", "ar"] {
        let (without, _) = mail("title: T\n\nText.\n", "magazine", language);
        assert!(
            !without.contains("10px 0 30px") && !without.contains("30px 0 10px"),
            "{without}"
        );
    }
}

#[test]
fn the_line_below_a_tables_head_goes_on_below_an_empty_cell() {
    let (html, _) = mail("title: T\n\n| | a |\n|---|---|\n| b | 1 |\n", "quiet", "en");
    let page = document(&html);
    let head = page.select(&Selector::parse("th").unwrap()).next().unwrap();
    let cells: Vec<_> = head.parent_element().unwrap().child_elements().collect();
    let line = |cell: &scraper::ElementRef| {
        let style = cell.attr("style").unwrap();
        style[style.find("border-bottom").unwrap()..]
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(cells[0].value().name(), "td");
    assert_eq!(line(&cells[0]), line(&cells[1]));
}

#[test]
fn pictures_side_by_side_keep_a_gap_between_them() {
    let text = "title: T\n\n<p><img src=\"https://a.example/l.png\" width=\"200\" alt=\"left\"> \
        <img src=\"https://a.example/r.png\" width=\"200\" alt=\"right\"></p>\n";
    let (html, _) = mail(text, "quiet", "en");
    let page = document(&html);
    let boxes: Vec<_> = page
        .select(&Selector::parse("span > img").unwrap())
        .filter_map(|img| {
            img.parent_element()
                .unwrap()
                .attr("style")
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(boxes.len(), 2);
    assert!(
        boxes.iter().all(|style| style.contains("margin:0 0 8px")),
        "{boxes:?}"
    );
}
