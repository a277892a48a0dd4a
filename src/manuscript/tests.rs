//! Letters of our own making, with every quirk that real ones have.

use super::*;
use crate::model::Severity;
use crate::model::issue::{Block, Body, Inline, Inlines, Item, Section, plain};

fn parsed(text: &str) -> Parsed {
    read(text, "007.md", "007").expect("front matter that can be read")
}

fn parts(text: &str) -> Vec<Part> {
    parsed(text).issue.parts
}

/// The blocks of a letter that has nothing but text after its title.
fn text_blocks(text: &str) -> Vec<Block> {
    match parts(&format!("# T\n\n{text}")).as_slice() {
        [Part::Text(blocks)] => blocks.clone(),
        [] => Vec::new(),
        other => panic!("more than text: {other:?}"),
    }
}

fn inlines(text: &str) -> Inlines {
    match text_blocks(text).as_slice() {
        [Block::Paragraph(inlines)] => inlines.clone(),
        other => panic!("no single paragraph: {other:?}"),
    }
}

fn codes(text: &str) -> Vec<(&'static str, Option<usize>)> {
    parsed(text)
        .findings
        .iter()
        .map(|f| (f.code, f.line))
        .collect()
}

fn text(t: &str) -> Inline {
    Inline::Text(t.into())
}

/// Everything that a reader sees, and every address.
fn seen(issue: &Issue) -> (String, Vec<String>) {
    let mut words = format!(
        "{} {} ",
        issue.meta.title,
        issue.meta.number.map_or(String::new(), |n| n.to_string())
    );
    let mut links = Vec::new();
    walk::parts(&issue.parts, &mut |seen| match seen {
        Seen::Text(t) | Seen::Code(t) => words.push_str(t),
        Seen::Link { url, .. } => links.push(url.to_owned()),
        Seen::Image(image) => words.push_str(&image.alt),
        Seen::Anchor(_) => {}
    });
    for part in &issue.parts {
        if let Part::Section(Section {
            number: Some(number),
            ..
        }) = part
        {
            words.push_str(&format!(" {number} "));
        }
    }
    (words, links)
}

/// A letter as Revue and Medium export it.
const EXPORT: &str = "\
# Печать · 印刷周报— #7

> 原文：<https://paper.example/印/p?source=x>

2024 年 2 月 29 日一周

## 要点。

*   [纸张涨价](https://paper.example/price)。油墨没有。

## 旧闻

*   没有链接的一条。

— — — — — –

下面有两个主题。

1.  纸与墨
2.  机器

— — — — — –

# 1.纸与墨

— — — — — –

[**怎样选纸。**](https://paper.example/a?utm_source=Old%20one)**——**[**【paper.example】**](https://paper.example/a)

![](img/a.png)

*【图一】纸的克重*
第一行评论，
第二行接着写。

[**油墨干得慢**](https://ink.example/b)**——**[**ink.example**](https://ink.example/b?plain)

[](https://ink.example/b) [## 油墨:为什么 *慢*

### 因为空气太湿…

ink.example](https://ink.example/b) 

这是评论。

— — — — — –

# 2.机器

— — — — — –

## [一台老机器](https://press.example/c)

[](https://press.example/c) [## 没有描述的卡片

press.example](https://press.example/c)

它还能用。

— — — — — –

# 🌟请订阅！🌟

[](https://list.example/me) [## 印刷周报

### 每周一封…

list.example](https://list.example/me) 

— — — — — –

# 关于我

印刷工/[http://me.example/](https://t.example/x?amp=1)
";

#[test]
fn an_export_becomes_typed_parts() {
    let issue = parsed(EXPORT).issue;
    let meta = &issue.meta;
    assert_eq!(
        (meta.title.as_str(), meta.number),
        ("Печать · 印刷周报", Some(7))
    );
    assert_eq!(meta.date, Some(jiff::civil::date(2024, 2, 29)));
    assert_eq!(plain(&meta.subject), "Печать · 印刷周报— #7");
    assert_eq!(meta.language.as_deref(), Some("zh-Hans"));
    let [
        Part::Text(head),
        Part::Summary(summary),
        Part::Contents { intro, entries },
        Part::Section(first),
        Part::Section(second),
        Part::Subscribe { body: call, .. },
        Part::About { .. },
    ] = issue.parts.as_slice()
    else {
        panic!("other parts: {:#?}", issue.parts)
    };
    assert_eq!((head.len(), summary.len(), intro.len()), (2, 2, 1));
    let tied: Vec<_> = entries.iter().map(|e| (plain(&e.title), e.part)).collect();
    assert_eq!(tied, [("纸与墨".into(), Some(3)), ("机器".into(), Some(4))]);
    assert_eq!(
        (first.number, plain(&first.heading), second.number),
        (Some(1), "纸与墨".into(), Some(2))
    );
    assert!(matches!(call.as_slice(), [Body::Card(card)] if card.url == "https://list.example/me"));

    let items = |section: &Section| -> Vec<Item> {
        section
            .body
            .iter()
            .map(|b| {
                if let Body::Item(item) = b {
                    (**item).clone()
                } else {
                    panic!("no item: {b:?}")
                }
            })
            .collect()
    };
    let [paper, ink] = <[Item; 2]>::try_from(items(first)).unwrap();
    assert_eq!(paper.url, "https://paper.example/a?utm_source=Old%20one");
    assert_eq!(plain(&paper.source.unwrap().name), "【paper.example】");
    assert_eq!(paper.image.unwrap().line, 30);
    assert_eq!(plain(&paper.caption), "【图一】纸的克重");
    // The line end between Chinese lines is no space.
    assert_eq!(
        paper.comment,
        [Block::Paragraph(vec![
            text("第一行评论，"),
            text("第二行接着写。")
        ])]
    );
    let card = ink.card.unwrap();
    assert_eq!(
        card.title,
        [text("油墨:为什么 "), Inline::Emphasis(vec![text("慢")])]
    );
    assert_eq!(
        (plain(&card.description), plain(&card.domain)),
        ("因为空气太湿…".into(), "ink.example".into())
    );
    let [machine] = <[Item; 1]>::try_from(items(second)).unwrap();
    let card = machine.card.unwrap();
    assert_eq!(
        (plain(&card.title), card.description.is_empty()),
        ("没有描述的卡片".into(), true)
    );
    assert_eq!(plain(&card.domain), "press.example");
}

#[test]
fn our_own_form_is_typed_alike() {
    let issue = parsed(
        "+++\ntitle = \"Proof\"\nnumber = 3\n+++\n\nHello.\n\n### This week\n\n- One line.\n\n---\n\nBelow:\n\n\
        1. Tools\n2. About me\n\n## 1. Tools\n\n### [A press](https://press.example/p)\n\n![A press](p.png)\n*Cast iron.*\n\n\
        > [The page](https://press.example/p)\n> Its beginning…\n\nWorth a look.\n\nTwice.\n\n### Odds and ends\n\nText.\n\n\
        ## About me\n\nI print.\n",
    )
    .issue;
    let [
        Part::Text(_),
        Part::Summary(_),
        Part::Contents { entries, .. },
        Part::Section(tools),
        Part::About { .. },
    ] = issue.parts.as_slice()
    else {
        panic!("other parts: {:#?}", issue.parts)
    };
    assert_eq!(
        entries.iter().map(|e| e.part).collect::<Vec<_>>(),
        [Some(3), Some(4)]
    );
    let [Body::Item(item), Body::Text(rest)] = tools.body.as_slice() else {
        panic!("{:#?}", tools.body)
    };
    assert_eq!(
        (plain(&item.title), plain(&item.caption)),
        ("A press".into(), "Cast iron.".into())
    );
    assert_eq!(
        (
            item.image.as_ref().unwrap().alt.as_str(),
            item.comment.len()
        ),
        ("A press", 2)
    );
    assert_eq!(
        plain(&item.card.as_ref().unwrap().description),
        "Its beginning…"
    );
    assert!(matches!(
        rest.as_slice(),
        [Block::Heading { level: 3, .. }, Block::Paragraph(_)]
    ));
}

#[test]
fn a_title_that_says_what_the_front_matter_says_stands_once() {
    let issue = parsed("title: Proof\n\n# Proof\n\nText.\n").issue;
    assert!(matches!(issue.parts.as_slice(), [Part::Text(blocks)] if blocks.len() == 1));
    let issue = parsed("title: Proof\n\n# Something else\n\nText.\n").issue;
    assert!(matches!(issue.parts.as_slice(), [Part::Section(_)]));
    let untitled = parsed("Just text.\n");
    assert_eq!(untitled.issue.meta.title, "", "the list's name is used");
    assert_eq!(codes("Just text.\n"), [("title-missing", Some(1))]);
    assert_eq!(untitled.findings[0].severity, Severity::Note);
}

#[test]
fn a_title_is_never_the_heading_of_a_section() {
    let of = |text: &str| {
        let Parsed { issue, findings } = parsed(text);
        let sections = issue
            .parts
            .iter()
            .filter(|part| matches!(part, Part::Section(_)))
            .count();
        let noted = findings
            .iter()
            .any(|f| f.code == "title-missing" && f.severity == Severity::Note);
        (issue.meta.title, sections, noted)
    };
    for (text, title, sections, noted) in [
        (
            "Hello.\n\n## Featured\n\na\n\n## In brief\n\nb\n",
            "",
            2,
            true,
        ),
        (
            "# Core\n\na\n\n# Plugins\n\nb\n\n# Tips\n\nc\n",
            "",
            3,
            true,
        ),
        (
            "# News\n\na\n\n## One\n\nb\n\n## Two\n\nc\n",
            "News",
            2,
            false,
        ),
        (
            "# News #7\n\na\n\n# One\n\nb\n\n# Two\n\nc\n",
            "News",
            2,
            false,
        ),
        (
            "# News\n\na\n\n# 1. One\n\nb\n\n# 2. Two\n\nc\n",
            "News",
            2,
            false,
        ),
        (
            "---\nsubject: What is new\n---\n\n## One\n\na\n\n## Two\n\nb\n",
            "What is new",
            2,
            false,
        ),
        ("---\nsubject: For {{ name }}\n---\n\na\n", "", 0, true),
    ] {
        assert_eq!(of(text), (title.into(), sections, noted), "{text}");
    }
}

#[test]
fn number_and_date_stand_once() {
    let of = |file: &str, front: &str| {
        let text = format!("---\n{front}\n---\n\nText.\n");
        let meta = read(&text, &format!("{file}.md"), file).unwrap().issue.meta;
        let date = meta.date_beside_title().map(|d| d.to_string());
        let subject = plain(&meta.subject);
        (
            meta.title.clone(),
            meta.number_beside_title(),
            date,
            subject,
        )
    };
    let on = |date: &str| Some(date.to_owned());
    assert_eq!(
        of("x", "title: 'Core News #190 │ 2022-01-24'"),
        (
            "Core News".into(),
            Some(190),
            on("2022-01-24"),
            "Core News #190 │ 2022-01-24".into()
        )
    );
    assert_eq!(
        of("x", "title: 'Newsletter #190 │ 2022-01-24'"),
        (
            "Newsletter #190".into(),
            None,
            on("2022-01-24"),
            "Newsletter #190 │ 2022-01-24".into()
        )
    );
    assert_eq!(
        of("x", "title: 'Issue #165'"),
        ("Issue #165".into(), None, None, String::new())
    );
    assert_eq!(
        of("2019-05-14-newsletter", "title: News\nlayout: x"),
        ("News".into(), None, on("2019-05-14"), String::new())
    );
    assert_eq!(
        of("issue-503", "title: News"),
        ("News".into(), Some(503), None, String::new())
    );
    assert_eq!(
        of("239-x", "title: News\nnumber: 7"),
        ("News".into(), Some(7), None, String::new())
    );
    // What contradicts the front matter stays in the title.
    assert_eq!(
        of("x", "title: 'News #5'\nnumber: 7"),
        ("News #5".into(), Some(7), None, String::new())
    );
}

#[test]
fn a_title_with_a_picture_stands_once_and_the_picture_stays() {
    for text in [
        "## 2026-01<br><img src=\"cover.png\" alt=\"cover\" width=\"300\">\n\n## Links\n\na\n\n## Tutorials\n\nb\n",
        "# 2026-01 ![cover](cover.png)\n\n## Links\n\na\n\n## Tutorials\n\nb\n",
        "# 2026-01 [![cover](cover.png)](https://a.example)\n\n## Links\n\na\n\n## Tutorials\n\nb\n",
    ] {
        let Parsed { issue, findings } = parsed(text);
        assert_eq!(
            (issue.meta.title.as_str(), findings),
            ("2026-01", Vec::new()),
            "{text}"
        );
        let [Part::Text(head), Part::Section(_), Part::Section(_)] = issue.parts.as_slice() else {
            panic!("{:#?}", issue.parts)
        };
        assert!(
            matches!(&head[..], [Block::Figure { image, .. }] if image.src == "cover.png"),
            "{head:?}"
        );
    }
    let linked = parsed("# [News](https://a.example)\n\na\n").issue;
    assert_eq!(
        (linked.meta.title.as_str(), seen(&linked).1),
        ("News", vec!["https://a.example".to_owned()])
    );
}

#[test]
fn a_lone_heading_above_others_is_their_section() {
    let issue = parsed(
        "---\ntitle: T\n---\n\nHi.\n\n## Games\n\n### A/B\n\n1\n\n### [v](https://a.example/v)\n\n2\n\n### C\n\n3\n",
    )
    .issue;
    let [Part::Text(_), Part::Section(section)] = issue.parts.as_slice() else {
        panic!("{:#?}", issue.parts)
    };
    assert_eq!(
        (plain(&section.heading), section.level),
        ("Games".into(), 2)
    );
    let kinds: Vec<&str> = section
        .body
        .iter()
        .map(|b| match b {
            Body::Item(_) => "item",
            Body::Card(_) => "card",
            Body::Text(_) => "text",
        })
        .collect();
    assert_eq!(kinds, ["text", "item", "text"]);
}

#[test]
fn headings_below_an_item_belong_to_it() {
    let issue = parsed(
        "---\ntitle: T\n---\n\n## [One](https://a.example/1)\n\na\n\n### Details\n\nb\n\n### More\n\nc\n\n\
        ## [Two](https://a.example/2)\n\nd\n",
    )
    .issue;
    let [Part::Section(section)] = issue.parts.as_slice() else {
        panic!("{:#?}", issue.parts)
    };
    let [Body::Item(one), Body::Item(two)] = section.body.as_slice() else {
        panic!("{:#?}", section.body)
    };
    assert_eq!((plain(&one.title), one.comment.len()), ("One".into(), 5));
    assert_eq!((plain(&two.title), two.comment.len()), ("Two".into(), 1));
}

#[test]
fn an_item_with_a_long_body_is_set_as_its_siblings() {
    let list = "- a\n- b\n- c\n  - nested\n";
    let issue = parsed(&format!(
        "---\ntitle: T\n---\n\n## Links\n\n### [One](https://a.example/1)\n\nA.\n\n### [Two](https://a.example/2)\n\n\
        A:\n\n{list}\n### [Three](https://a.example/3)\n\nA.\n"
    ))
    .issue;
    let Part::Section(section) = &issue.parts[0] else {
        panic!()
    };
    let items = section.body.iter().filter(|b| matches!(b, Body::Item(_)));
    assert_eq!((items.count(), section.body.len()), (3, 3));
}

#[test]
fn picture_characters_and_asides_belong_to_an_items_title() {
    for (line, title) in [
        ("### 🌟 🐎 [Bazel](https://a.example/1)", "🌟 🐎 Bazel"),
        ("### 1️⃣ [Bazel](https://a.example/1)", "1️⃣ Bazel"),
        ("### **[Bazel](https://a.example/1)**", "Bazel"),
        (
            "### [Bazel](https://a.example/1) (5 minute read)",
            "Bazel (5 minute read)",
        ),
        (
            "**[Bazel](https://a.example/1)** (5 minute read)",
            "Bazel (5 minute read)",
        ),
        (
            "**[Bazel](https://a.example/1) (5 minute read)**",
            "Bazel (5 minute read)",
        ),
        ("[**Bazel**](https://a.example/1)（英文）", "Bazel（英文）"),
        ("🐎 [**Bazel**](https://a.example/1)", "🐎 Bazel"),
    ] {
        let issue = parsed(&format!("---\ntitle: T\n---\n\n## S\n\n{line}\n\nText.\n")).issue;
        let Part::Section(section) = &issue.parts[0] else {
            panic!("{line}")
        };
        let [Body::Item(item)] = section.body.as_slice() else {
            panic!("{line}: {:#?}", section.body)
        };
        assert_eq!(
            (plain(&item.title).as_str(), item.comment.len()),
            (title, 1),
            "{line}"
        );
    }
    for line in [
        "### See [Bazel](https://a.example/1)",
        "**[Bazel](https://a.example/1)** is (much) faster",
    ] {
        let issue = parsed(&format!("---\ntitle: T\n---\n\n## S\n\n{line}\n\nText.\n")).issue;
        let seen = format!("{:?}", issue.parts);
        assert!(!seen.contains("Item("), "{line}");
    }
}

#[test]
fn syntax_of_other_programs_reaches_no_reader() {
    let text = "---\ntitle: 'News {% x %}'\nsubject: '*|FNAME|*, {{ site.title }} news'\ndescription: '{{< y >}}About it.'\n---\n\n\
        {% include a.html %}\nHello {{ page.x }}there.\n\n## A {#a}\n\n{:.b}\nText with $a_1*b_1*c$.\n\n<C d=\"e\" />\n";
    let Parsed { issue, findings } = parsed(text);
    assert_eq!(issue.meta.title, "News");
    assert_eq!(plain(&issue.meta.subject), ", news");
    assert_eq!(plain(&issue.meta.preheader), "About it.");
    let words = seen(&issue).0;
    for sign in ["{%", "{{", "{#", "{:", "<C", "*|", "{<"] {
        assert!(!words.contains(sign), "{words}");
    }
    assert!(words.contains("a_1*b_1*c"), "{words}");
    let of_body: Vec<_> = findings.iter().filter_map(|f| f.line).collect();
    assert!(
        [2, 3, 7, 8, 12].iter().all(|line| of_body.contains(line)),
        "{of_body:?}"
    );
}

#[test]
fn headings_that_hold_long_lists_stay_chapters() {
    let list = "- a\n".repeat(9);
    let issue = parsed(&format!(
        "# T\n\n## A\n\n### [Link](https://a.example)\n\n{list}\n## B\n\nx\n"
    ))
    .issue;
    let Part::Section(section) = &issue.parts[0] else {
        panic!()
    };
    assert!(matches!(section.body.as_slice(), [Body::Text(blocks)] if blocks.len() == 2));
}

#[test]
fn one_tilde_strikes_nothing_out() {
    assert_eq!(plain(&inlines("3~5 天，10~20 元")), "3~5 天，10~20 元");
    assert_eq!(inlines("~~gone~~"), [Inline::Strike(vec![text("gone")])]);
}

#[test]
fn prose_that_looks_like_html_is_printed() {
    let words = |t: &str| plain(&inlines(t));
    assert_eq!(
        words("A Vec<u8> and a HashMap<String, Option<T>>, a<b>c"),
        "A Vec<u8> and a HashMap<String, Option<T>>, a<b>c"
    );
    assert_eq!(
        words("Rc<S> and Promise<object> and Foo<base>"),
        "Rc<S> and Promise<object> and Foo<base>"
    );
    assert_eq!(
        text_blocks("<T>\nalone\n"),
        [Block::Paragraph(vec![
            text("<T>"),
            Inline::SoftBreak,
            text("alone")
        ])]
    );
    assert_eq!(
        words("one<!-- a [link](https://a.example) -->two"),
        "onetwo"
    );
}

#[test]
fn inline_html_keeps_its_meaning() {
    assert_eq!(
        inlines("H<sub>2</sub>O, <b>b <i>i</i></b><br>end"),
        [
            text("H"),
            Inline::Tag {
                name: "sub",
                children: vec![text("2")]
            },
            text("O, "),
            Inline::Strong(vec![text("b "), Inline::Emphasis(vec![text("i")])]),
            Inline::HardBreak,
            text("end")
        ]
    );
    let [Inline::Link { url, children, .. }] =
        &inlines("<a href=\"https://a.example/?a=1&amp;b=2\">*x*</a>")[..]
    else {
        panic!()
    };
    assert_eq!(
        (url.as_str(), plain(children)),
        ("https://a.example/?a=1&b=2", "x".into())
    );
}

#[test]
fn html_blocks_are_read_into_our_own() {
    let blocks = text_blocks(
        "<div align=center>\n<p>One &amp; <u>two</u>\n<p><img src=a.png alt='A &quot;q&quot;' width=300>\n<ul><li>x<li>y</ul>\n\
        <script>alert(1)</script></div>\n",
    );
    let [
        Block::Paragraph(one),
        Block::Figure { image, .. },
        Block::List { items, .. },
    ] = blocks.as_slice()
    else {
        panic!("{blocks:#?}")
    };
    assert_eq!(plain(one), "One & two");
    assert_eq!(
        (image.alt.as_str(), image.width, items.len()),
        ("A \"q\"", Some(300), 2)
    );
    assert_eq!(
        codes("# T\n\n<style>p{}</style>\n\nx"),
        [("html-hidden", Some(3))]
    );
    let cards = text_blocks("<iframe src=\"//video.example/v?id=1\" title=\"A film\"></iframe>\n");
    assert!(
        matches!(&cards[..], [Block::Card(c)] if c.url == "https://video.example/v?id=1" && plain(&c.title) == "A film")
    );
    let table = text_blocks(
        "<table><tr><th>a<th>b<tr><td>1<td><a href='https://a.example'>2</a></table>\n",
    );
    assert!(
        matches!(&table[..], [Block::Table { head, rows, .. }] if head.len() == 2 && rows.len() == 1)
    );
    let boxed = text_blocks("<a href=\"https://a.example\"><div>one</div></a>\n");
    assert!(matches!(&boxed[..], [Block::Paragraph(p)] if matches!(&p[..], [Inline::Link { .. }])));
}

#[test]
fn dangerous_and_broken_addresses_are_shown_and_not_linked() {
    assert_eq!(
        inlines("[x](javascript:alert(1))"),
        [text("x (javascript:alert(1))")]
    );
    assert_eq!(
        plain(&inlines("a [b](some page.md) c [d](page.md)")),
        "a [b](some page.md) c d (page.md)"
    );
    assert!(
        matches!(&inlines("[x](http:/broken.example)")[..], [Inline::Link { url, .. }] if url == "http:/broken.example")
    );
    assert_eq!(
        codes("# T\n\n[a](javascript:x)\n\n[b](http:/b)\n\n[c](c.md) [d]()\n"),
        [
            ("link-scheme", Some(3)),
            ("link-malformed", Some(5)),
            ("link-relative", Some(7)),
            ("link-empty", Some(7))
        ]
    );
    assert_eq!(
        plain(&inlines("<a href=\"data:text/html,x\">y</a>")),
        "y (data:text/html,x)"
    );
}

#[test]
fn bare_addresses_become_links_and_keep_their_words() {
    let found =
        inlines("见 https://a.example/x。或 (http://b.example/c_(d)), `https://code.example`");
    let urls: Vec<_> = found
        .iter()
        .filter_map(|i| {
            if let Inline::Link { url, .. } = i {
                Some(url.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(urls, ["https://a.example/x", "http://b.example/c_(d)"]);
    assert_eq!(
        plain(&found),
        "见 https://a.example/x。或 (http://b.example/c_(d)), https://code.example"
    );
}

#[test]
fn fields_are_filled_in_text_and_stay_elsewhere() {
    use crate::model::issue::Field;
    let field = Inline::Field(Field::Name {
        default: "reader".into(),
    });
    assert_eq!(
        inlines("**{{ name | default(\"reader\") }}**"),
        [Inline::Strong(vec![field])]
    );
    assert_eq!(
        inlines("`{{ name }}` {{ a*b*c }}"),
        [Inline::Code("{{ name }}".into()), text(" {{ a*b*c }}")]
    );
    assert_eq!(
        codes("# T\n\n`{{ name }}`\n\n[x](https://a.example/?{{email}})\n\na {{ nmae }}\n"),
        [
            ("field-not-filled", Some(3)),
            ("field-not-filled", Some(5)),
            ("field-unknown", Some(7))
        ]
    );
    let unknown = parsed("+++\ntitle = \"T\"\n+++\n\na {{ nmae }}\n")
        .findings
        .remove(0);
    assert_eq!(
        (unknown.line, unknown.column, unknown.help.as_str()),
        (Some(5), Some(3), "Did you mean {{ name }}?")
    );
    assert_eq!(unknown.severity, Severity::Error);
    let severities = |text: &str| -> Vec<Severity> {
        parsed(text).findings.iter().map(|f| f.severity).collect()
    };
    assert_eq!(
        severities(
            "# T\n\n`{{ nmae }}` {{ site.url }}\n\n```\n{{ emial }}\n```\n\n<p><code>{{ nmae }}</code></p>\n"
        ),
        [Severity::Warning; 4]
    );
    assert_eq!(
        severities(
            "---\ntitle: T\nsubject: For {{ nmae }}\npreheader: '{{ emial }}'\n---\n\n<p>{{ nam }}</p>\n"
        ),
        [Severity::Error; 3]
    );
}

#[test]
fn footnotes_and_reference_links_are_kept() {
    let issue = parsed(
        "# T\n\nA[^note] and [b].\n\n[^note]: The note.\n\n[b]: https://b.example \"t\"\n\nEnd[^x].\n",
    )
    .issue;
    let (words, links) = seen(&issue);
    assert!(
        words.contains("A and b.") && words.contains("The note.") && words.contains("[^x]"),
        "{words}"
    );
    assert_eq!(links, ["https://b.example"]);
    let label = Inline::NoteLabel {
        number: 1,
        is_marked: true,
    };
    let note = Block::Paragraph(vec![label, text("The note.")]);
    assert_eq!(
        issue.parts.last(),
        Some(&Part::Text(vec![Block::Rule, note]))
    );
}

#[test]
fn line_ends_and_marks_of_other_systems_are_read() {
    let unix = parsed("+++\ntitle = \"T\"\n+++\n\nOne\ntwo.\n\n- a\n").issue;
    for other in [
        "\u{FEFF}+++\r\ntitle = \"T\"\r\n+++\r\n\r\nOne\r\ntwo.\r\n\r\n- a\r\n",
        "+++\rtitle = \"T\"\r+++\r\rOne\rtwo.\r\r- a\r",
    ] {
        assert_eq!(parsed(other).issue, unix);
    }
    assert_eq!(plain(&inlines("a\0b\u{7}c\u{B}d")), "a\u{FFFD}bc d");
}

#[test]
fn malformed_front_matter_is_the_only_error_of_reading() {
    let errors = read(
        "+++\ntitle = \"unclosed\n+++\ntext\n",
        "issues/009.md",
        "009",
    )
    .unwrap_err();
    assert_eq!(
        (errors[0].file.as_str(), errors[0].line, errors[0].severity),
        ("issues/009.md", Some(2), Severity::Error)
    );
    let marker = parsed("# T\n\n新闻 *x* TK\n").findings.remove(0);
    assert_eq!((marker.line, marker.column), (Some(3), Some(8)));
    let found = parsed("# T\n\n{{ name }}, *TK*, {{ email }} TODO: x\n").findings;
    let columns: Vec<_> = found.iter().map(|marker| marker.column).collect();
    assert_eq!(
        columns,
        [Some(14), Some(31)],
        "braces are counted as they are written"
    );
    let links = "# T\n\nä [a]() *[b]()*\nand [c](http:/c)\n\n- {{ name }} [d](d.md)\n\n> > [e](javascript:e)\n";
    let places: Vec<_> = parsed(links)
        .findings
        .iter()
        .map(|f| (f.line, f.column))
        .collect();
    let at = |line, column| (Some(line), Some(column));
    assert_eq!(places, [at(3, 3), at(3, 10), at(4, 5), at(6, 14), at(8, 5)]);
    assert_eq!(
        codes("---\ntitle: T\ntilte: x\n---\n\ntext TODO: x\n"),
        [("front-matter-unknown", Some(3)), ("marker-left", Some(6))]
    );
}

#[test]
fn nesting_without_end_is_flattened_and_loses_nothing() {
    for (open, close) in [
        ("> ", ""),
        ("- ", ""),
        ("*a ", " a*"),
        ("[", "](https://a.example)"),
        ("<div>", ""),
        ("<b>", "</b>"),
        ("![", "](a.png)"),
    ] {
        let text = format!(
            "# T\n\n{}deepest word{}\n",
            open.repeat(3000),
            close.repeat(3000)
        );
        let (words, _) = seen(&parsed(&text).issue);
        assert!(words.contains("deepest word"), "lost within {open}");
    }
    let link = format!(
        "{}[in](https://deep.example){}",
        "**a *b ".repeat(40),
        " b* a**".repeat(40)
    );
    assert!(
        seen(&parsed(&link).issue)
            .1
            .contains(&"https://deep.example".to_owned())
    );
}

mod properties {
    use super::*;
    use comrak::nodes::NodeValue;
    use comrak::{Arena, parse_document};
    use proptest::prelude::*;

    /// Bits of Markdown and HTML, more often than chance would write them.
    fn markdown() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof![4 => bit(), 1 => quirk()], 0..40)
            .prop_map(|bits| bits.concat())
    }

    /// What comrak does not see as readers of ours do: fields, cards, comments.
    fn quirk() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("{{ name | default(\"x\") }}".to_owned()),
            Just("{{ a*b }}".to_owned()),
            Just("[](https://k.example) [## k\n\nk](https://k.example)".to_owned()),
            Just("<!--".to_owned()),
            Just("<script>".to_owned()),
            "[\\x00-\\x1f{}\\[\\]()]{1,3}",
        ]
    }

    fn bit() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,6} ?",
            "[你好世界，。]{1,4}",
            "[ \n]{1,3}",
            "\n\n(#{1,6} |> |- |\\* |1\\. |    |```\n|---\n|\\| )?",
            "[*_~`\\[\\]()<>!#|:{}\\\\\"'=+-]{1,3}",
            Just("[a](https://a.example/b?c=d)".to_owned()),
            Just("![i](i.png)\n*c*\n".to_owned()),
            Just("[**t**](https://t.example)**——**[**s**](https://s.example)\n\n".to_owned()),
            Just("[^1]".to_owned()),
            Just("\n\n[^1]: note\n\n".to_owned()),
            Just("<div>".to_owned()),
            Just("</div>".to_owned()),
            Just("<b>x</b>".to_owned()),
            Just("<table><tr><td>".to_owned()),
            Just("<a href='https://h.example'>".to_owned()),
            "\\PC{0,4}",
            Just("{% include a.html %}".to_owned()),
            Just("{% highlight rust %}\nlet a;\n{% endhighlight %}\n".to_owned()),
            Just("{{< youtube abc >}}".to_owned()),
            Just("{: .a #b}".to_owned()),
            Just("$a_1$".to_owned()),
            Just("\n$$\na\n$$\n".to_owned()),
            Just("[[a|b]]".to_owned()),
            Just("==a==".to_owned()),
            Just("%%a%%".to_owned()),
            Just("*|FNAME|*".to_owned()),
            Just("<Tweet id=\"1\" />".to_owned()),
            Just("[a][b]".to_owned()),
            Just("\n[b]: https://b.example\n".to_owned()),
            Just("https://a.example/_b_/*c*".to_owned()),
            Just("\n:::tip a\n".to_owned()),
            Just("\n:::\n".to_owned()),
        ]
    }

    /// The runs of letters and digits that comrak sees in a text, code included.
    fn runs(text: &str) -> Vec<String> {
        let arena = Arena::new();
        let root = parse_document(&arena, text, &markdown::options());
        let mut runs = Vec::new();
        for node in root.descendants() {
            let data = node.data();
            let text = match &data.value {
                NodeValue::Text(t) => t.to_string(),
                NodeValue::Code(c) => c.literal.clone(),
                NodeValue::CodeBlock(c) => c.literal.clone(),
                _ => continue,
            };
            runs.extend(
                text.split(|c: char| !c.is_alphanumeric())
                    .filter(|r| !r.is_empty())
                    .map(str::to_owned),
            );
        }
        runs
    }

    /// A link in one of the places where authors put them.
    fn placed(url: &str, place: usize) -> String {
        match place {
            0 => format!("See [it]({url}) here.\n\n"),
            1 => format!("- a\n- [it](<{url}>)\n\n"),
            2 => format!("## [Title]({url})\n\n"),
            3 => format!("> [quoted]({url})\n> more\n\n"),
            4 => format!("| a | b |\n|---|---|\n| [c]({url}) | d |\n\n"),
            5 => format!("[**Bold**]({url})\n\nText.\n\n"),
            6 => format!("<p><a href=\"{url}\">html</a></p>\n\n"),
            7 => format!("[![alt](a.png)]({url})\n\n"),
            8 => format!("[]({url}) [## Card\n\nmore\n\nhost]({url})\n\n"),
            9 => format!("**[t]({url})** and *[u]({url})*\n\n"),
            10 => format!("<{url}>\n\n"),
            11 => format!("[ref]\n\n[ref]: {url}\n\n"),
            12 => format!("[]({url})\n\n"),
            13 => format!("# {url}\n\n"),
            _ => format!("Bare {url} in text.\n\n"),
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in markdown()) {
            let _ = read(&text, "x.md", "x");
        }

        #[test]
        fn every_link_survives(
            places in proptest::collection::vec((0usize..15, "[a-z0-9]{1,8}(/[a-z%.-]{0,6}){0,2}(\\?[a-z]=[0-9]%20&b=c)?"), 1..8),
        ) {
            let urls: Vec<String> = places.iter().map(|(_, path)| format!("https://x.example/{path}")).collect();
            let text: String = places.iter().zip(&urls).map(|((place, _), url)| placed(url, *place)).collect();
            let (_, links) = seen(&parsed(&text).issue);
            for ((place, _), url) in places.iter().zip(&urls) {
                // Of two definitions of one reference the first counts, and a bare address ends before a dot.
                let want = if *place >= 13 { url.trim_end_matches('.') } else { url.as_str() };
                prop_assert!(*place == 11 || links.iter().any(|l| l == want), "{} lost from {}", want, text);
            }
        }

        #[test]
        fn every_word_survives(bits in proptest::collection::vec(bit(), 0..40)) {
            let text = bits.concat().replace("{{", "{").replace("[](", "[x](").replace("<!", "< !").replace("<?", "< ?");
            // What the syntax of other programs becomes, fields left out, is tested with it.
            let translated = dialects::translate(&text).text;
            let translated = ["{{ name }}", "<mark>", "</mark>"].iter().fold(translated, |text, ours| text.replace(ours, "."));
            if let Ok(Parsed { issue, .. }) = read(&text, "x.md", "x")
                && front_matter::split(&text).is_ok_and(|f| f.is_none())
            {
                let squeeze = |t: &str| t.split_whitespace().collect::<String>();
                let words = squeeze(&seen(&issue).0);
                for run in runs(&translated) {
                    prop_assert!(words.contains(&run), "{} lost from {:?}", run, text);
                }
            }
        }
    }
}

#[test]
fn the_examples_are_in_the_best_form() {
    let example = parsed(include_str!("../../examples/issue-22.md"));
    assert_eq!(example.findings, []);
    let kinds: Vec<&str> = example
        .issue
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(_) => "text",
            Part::Summary(_) => "summary",
            Part::Contents { .. } => "contents",
            Part::Section(_) => "section",
            Part::Subscribe { .. } => "subscribe",
            Part::About { .. } => "about",
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "text",
            "summary",
            "contents",
            "section",
            "section",
            "section",
            "section",
            "section",
            "subscribe",
            "about"
        ]
    );
    let (mut items, mut described) = (0, 0);
    for part in &example.issue.parts {
        let Part::Section(section) = part else {
            continue;
        };
        for body in &section.body {
            let Body::Item(item) = body else {
                panic!("not an item: {body:?}")
            };
            items += 1;
            described += usize::from(item.image.as_ref().is_some_and(|i| !i.alt.is_empty()));
        }
    }
    assert_eq!((items, described), (13, 8));
    assert_eq!(
        parsed(include_str!("../../examples/issue-23.md")).findings,
        []
    );
}
