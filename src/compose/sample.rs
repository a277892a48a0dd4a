//! Letters for tests: one of the shape of a real weekly, one that holds every kind of part.

use std::path::PathBuf;
use std::sync::OnceLock;

use jiff::civil::date;

use super::pictures::Pictures;
use super::theme::Theme;
use super::{Composed, Setting, compose};
use crate::link::utm::{Facts, Tagger};
use crate::model::issue::*;
use crate::model::list::{Mailbox, Utm};
use crate::model::{Address, List};

pub(super) fn list(name: &str, language: &str) -> List {
    let from = Mailbox {
        name: "Editor".into(),
        address: Address::parse("editor@letters.example").unwrap(),
    };
    List {
        language: language.into(),
        postal_address: "Letterpress, Example Street 1\n12345 Example".into(),
        utm: Utm {
            source: "Revue newsletter".into(),
            medium: "email".into(),
            campaign: "{list}".into(),
            ..Utm::default()
        },
        ..List::new("weekly", name, from)
    }
}

/// Composes with the defaults of a letter in `language`.
pub(super) fn composed(issue: &Issue, theme: &str, list: &List, pictures: &Pictures) -> Composed {
    static THEMES: OnceLock<[Theme; 2]> = OnceLock::new();
    let themes =
        THEMES.get_or_init(|| ["magazine", "quiet"].map(|name| Theme::load(name, None).unwrap()));
    let theme = themes.iter().find(|t| t.name() == theme).unwrap();
    let facts = Facts {
        list_name: &list.name,
        number: issue.meta.number,
        date: issue.meta.date,
        slug: &issue.slug,
        campaign: None,
    };
    let tagger = Tagger::new(&list.utm, &facts, None);
    let setting = Setting {
        list,
        theme,
        pictures,
        media_base: "https://letters.example/media/",
        tagger: &tagger,
    };
    compose(issue, &setting).unwrap()
}

pub(super) fn text(t: &str) -> Inlines {
    vec![Inline::Text(t.to_owned())]
}

pub(super) fn paragraph(t: &str) -> Block {
    Block::Paragraph(text(t))
}

pub(super) fn link(t: &str, url: &str) -> Inline {
    Inline::Link {
        url: url.to_owned(),
        title: String::new(),
        children: text(t),
        line: 0,
    }
}

/// A weekly of five sections and thirteen items, with links as long as trackers make them.
pub(super) fn weekly() -> Issue {
    let long = |n: usize| {
        format!(
            "https://papers.example.org/abs/2103.{n:05}?utm_campaign=A%27s%20Machine%20Learning%20News%20%20%20&utm_medium=email&utm_source=Revue%20newsletter"
        )
    };
    let item = |n: usize, picture: bool| {
        let title = [
            "以宽度为先来放大网络，单步时间更短。",
            "用少量原型降低对比学习的记忆开销",
            "从机器学习里得益最多的几个行业",
            "各国如何监管人工智能",
        ][n % 4];
        let comment = "现有的放大策略多半只看运算量与精度的关系，可是运算量相同，单步时间也会随参数和激活的多少而变。作者提出先放大宽度的办法，精度不降，单步时间却短了许多；对于已经大到搜索不动的网络，这一点尤其要紧。";
        Body::Item(Box::new(Item {
            title: text(title),
            url: long(n),
            source: Some(Source {
                name: text("papers.example.org"),
                url: format!("https://papers.example.org/abs/2103.{n:05}"),
            }),
            image: picture.then(|| Image {
                src: format!("fig{}.png", n % 4),
                line: n,
                ..Image::default()
            }),
            caption: if picture {
                text("【2103.06877】快速而准确地放大模型")
            } else {
                Vec::new()
            },
            card: (!picture).then(|| Card {
                url: long(n),
                title: text("《议会邮报》:五个行业从人工智能中获益"),
                description: text("一家医疗安全公司的首席产品官谈人工智能，它提供了大量的…"),
                domain: text("papers.example.org"),
                line: n,
            }),
            comment: vec![paragraph(comment)],
            line: n,
        }))
    };
    let mut n = 0;
    let sections = [
        ("本周特稿/新闻", 2, true),
        ("机器学习用例", 2, false),
        ("报纸", 6, true),
        ("机器学习技术相关文章", 2, false),
        ("其他主题", 1, false),
    ];
    let mut parts = vec![Part::Summary(
        ["本周特稿/新闻", "现实世界中的机器学习", "报纸"]
            .map(|heading| SummaryGroup {
                heading: text(heading),
                blocks: vec![Block::List {
                    ordered: false,
                    start: 1,
                    tight: true,
                    items: (0..2)
                        .map(|i| ListItem {
                            task: None,
                            blocks: vec![Block::Paragraph(vec![
                                link("已经有办法在大型模型里放大而不变慢", &long(90 + i)),
                                Inline::Text("。由于搜索对大型模型并不可行，在大型模型已成趋势的今天，它可能变得很重要。".into()),
                            ])],
                        })
                        .collect(),
                }],
            })
            .into(),
    )];
    parts.push(Part::Contents {
        intro: vec![paragraph(
            "在下面的章节里，我将介绍各种文章和论文，不只是关于上面这些，还包括以下五个主题。",
        )],
        entries: sections
            .iter()
            .enumerate()
            .map(|(i, (title, ..))| ContentsEntry {
                title: text(title),
                part: Some(i + 2),
            })
            .collect(),
    });
    for (i, (heading, count, pictures)) in sections.into_iter().enumerate() {
        let body = (0..count)
            .map(|_| {
                n += 1;
                item(n, pictures)
            })
            .collect();
        parts.push(Part::Section(Section {
            number: Some(i as u32 + 1),
            heading: text(heading),
            level: 1,
            body,
        }));
    }
    parts.push(Part::Subscribe {
        heading: text("🌟我每周寄出一封信！请订阅！🌟"),
        body: vec![Body::Card(Card {
            url: "https://letters.example.net/profile/a".into(),
            title: text("阿基拉的机器学习新闻"),
            description: text("由一位制造工程师兼机器学习工程师编写…"),
            domain: text("letters.example.net"),
            line: 0,
        })],
    });
    parts.push(Part::About {
        heading: text("关于我"),
        body: vec![Block::Paragraph(vec![
            Inline::Text("制造工程师/机器学习工程师/".into()),
            link(
                "http://code.example.com/A/",
                "https://t.example.co/hjHHbG24Ph?amp=1",
            ),
        ])],
    });
    Issue {
        meta: Meta {
            title: "Akira 的机器学习新闻".into(),
            number: Some(22),
            date: Some(date(2021, 7, 25)),
            language: Some("zh-Hans".into()),
            ..Meta::default()
        },
        parts,
        slug: "022".into(),
    }
}

/// How many words `everything` holds: `word1.` and on.
pub(super) const WORDS: usize = 92;
/// How many links `everything` holds: `https://link.example/1` and on.
pub(super) const LINKS: usize = 27;

/// The pictures that `weekly` and `everything` name.
pub(super) fn pictures() -> Pictures {
    let picture = |i: usize| Picture {
        src: format!("fig{i}.png"),
        path: PathBuf::new(),
        hash: format!("{i:032x}"),
        ext: "png",
        bytes: Vec::new(),
        width_px: 1200,
        height_px: 660,
    };
    (0..4).map(picture).collect()
}

/// Counts out words and links, so that a test can look for each.
#[derive(Default)]
struct Counter {
    words: usize,
    links: usize,
}

impl Counter {
    fn word(&mut self) -> Inlines {
        self.words += 1;
        text(&format!("word{}.", self.words))
    }

    fn url(&mut self) -> String {
        self.links += 1;
        format!("https://link.example/{}", self.links)
    }

    fn link(&mut self) -> Inline {
        let (children, url) = (self.word(), self.url());
        Inline::Link {
            url,
            title: String::new(),
            children,
            line: 0,
        }
    }

    fn paragraph(&mut self) -> Block {
        Block::Paragraph(self.word())
    }

    fn card(&mut self) -> Card {
        Card {
            url: self.url(),
            title: self.word(),
            description: self.word(),
            domain: self.word(),
            line: 0,
        }
    }

    fn item(&mut self, image: Option<&str>, card: bool) -> Body {
        Body::Item(Box::new(Item {
            title: self.word(),
            url: self.url(),
            source: Some(Source {
                name: self.word(),
                url: self.url(),
            }),
            image: image.map(|src| Image {
                src: src.into(),
                alt: "An alt".into(),
                ..Image::default()
            }),
            caption: self.word(),
            card: card.then(|| self.card()),
            comment: vec![
                self.paragraph(),
                Block::Heading {
                    level: 2,
                    inlines: self.word(),
                },
            ],
            line: 0,
        }))
    }

    /// Every kind of block and inline.
    fn blocks(&mut self) -> Vec<Block> {
        let nested = Block::List {
            ordered: true,
            start: 3,
            tight: false,
            items: vec![ListItem {
                task: Some(true),
                blocks: vec![self.paragraph(), self.paragraph()],
            }],
        };
        let inlines = vec![
            Inline::Emphasis(self.word()),
            Inline::Strong(self.word()),
            Inline::Strike(self.word()),
            Inline::Code(plain(&self.word())),
            self.link(),
            Inline::Tag {
                name: "sup",
                children: self.word(),
            },
            Inline::SoftBreak,
            Inline::HardBreak,
            Inline::Field(Field::Name {
                default: plain(&self.word()),
            }),
            Inline::Image(Image {
                src: "none.png".into(),
                alt: plain(&self.word()),
                ..Image::default()
            }),
        ];
        let figure = Image {
            src: "fig1.png".into(),
            alt: "An alt".into(),
            ..Image::default()
        };
        vec![
            Block::Paragraph(inlines),
            Block::Heading {
                level: 5,
                inlines: self.word(),
            },
            Block::Quote(vec![self.paragraph()]),
            Block::List {
                ordered: false,
                start: 1,
                tight: true,
                items: vec![ListItem {
                    task: None,
                    blocks: vec![self.paragraph(), nested],
                }],
            },
            Block::Code {
                info: "rust".into(),
                literal: plain(&self.word()),
            },
            Block::Table {
                align: vec![Align::End],
                head: vec![self.word()],
                rows: vec![vec![self.word(), self.word()]],
            },
            Block::Figure {
                image: figure,
                link: Some(self.url()),
                caption: self.word(),
            },
            Block::Card(self.card()),
            Block::Rule,
        ]
    }
}

/// A letter in which every kind of part, block and inline stands, with counted words and links.
pub(super) fn everything() -> Issue {
    let mut n = Counter::default();
    let parts = vec![
        Part::Text(n.blocks()),
        Part::Summary(vec![SummaryGroup {
            heading: n.word(),
            blocks: vec![n.paragraph()],
        }]),
        Part::Contents {
            intro: vec![n.paragraph()],
            entries: vec![
                ContentsEntry {
                    title: n.word(),
                    part: Some(3),
                },
                ContentsEntry {
                    title: n.word(),
                    part: None,
                },
                ContentsEntry {
                    title: vec![n.link()],
                    part: Some(3),
                },
            ],
        },
        Part::Section(Section {
            number: Some(1),
            heading: n.word(),
            level: 2,
            body: vec![
                n.item(Some("fig0.png"), false),
                n.item(None, true),
                Body::Card(n.card()),
                Body::Text(vec![n.paragraph()]),
            ],
        }),
        Part::Section(Section {
            number: None,
            heading: vec![n.link()],
            level: 2,
            body: vec![
                n.item(Some("none.png"), false),
                n.item(None, false),
                n.item(None, false),
                n.item(None, false),
                n.item(None, false),
            ],
        }),
        Part::Section(Section {
            number: None,
            heading: Vec::new(),
            level: 2,
            body: vec![n.item(None, false)],
        }),
        Part::Subscribe {
            heading: n.word(),
            body: vec![
                Body::Card(n.card()),
                Body::Text(vec![n.paragraph()]),
                n.item(None, true),
            ],
        },
        Part::About {
            heading: n.word(),
            body: vec![
                Block::Heading {
                    level: 6,
                    inlines: n.word(),
                },
                n.paragraph(),
            ],
        },
    ];
    assert_eq!(
        (n.words, n.links),
        (WORDS, LINKS),
        "the counts that tests rely on"
    );
    Issue {
        meta: Meta {
            title: "Everything".into(),
            ..Meta::default()
        },
        parts,
        slug: "all".into(),
    }
}
