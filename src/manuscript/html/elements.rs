//! The elements of HTML that authors of newsletters use, and what each becomes.
//!
//! A name that is not known here is not markup: it is prose such as `Vec<u8>`, and is printed.

/// What an element becomes in our own parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// `a`.
    Link,
    /// `img`.
    Image,
    /// `br`.
    LineBreak,
    /// Bold: `b`, `strong`.
    Strong,
    /// Italic: `i`, `em` and others.
    Emphasis,
    /// Struck out: `s`, `del`.
    Strike,
    /// Code within a line.
    Code,
    /// Kept under its own name.
    Tag(&'static str),
    /// Inline and without a look of its own: only its content is kept.
    Inline,
    /// A paragraph or a box: its content begins on a line of its own.
    Block,
    /// `h1` to `h6`, with the level.
    Heading(u8),
    /// `blockquote`.
    Quote,
    /// `ul` or `ol`.
    List {
        /// Whether its items are numbered.
        ordered: bool,
    },
    /// `li`.
    ListItem,
    /// `pre`: white space and line ends count.
    Preformatted,
    /// `hr`.
    Rule,
    /// `table`.
    Table,
    /// `tr`.
    TableRow,
    /// `td` or `th`.
    TableCell {
        /// Whether it heads a column or a row.
        head: bool,
    },
    /// The caption of a figure or a table.
    Caption,
    /// A player or a frame: a mail can only link to it.
    Embed,
    /// Content that no reader sees.
    Hidden,
    /// Has no content and shows nothing.
    Nothing,
}

/// The element of a name in any letter case; `None` if HTML has no such element.
pub(crate) fn element(name: &str) -> Option<Element> {
    use Element::*;
    let name = name.to_ascii_lowercase();
    Some(match name.as_str() {
        "a" => Link,
        "img" | "image" => Image,
        "br" => LineBreak,
        "b" | "strong" => Strong,
        "i" | "em" | "cite" | "var" | "dfn" => Emphasis,
        "s" | "del" | "strike" => Strike,
        "code" | "samp" | "tt" => Code,
        "u" => Tag("u"),
        "ins" => Tag("ins"),
        "sup" => Tag("sup"),
        "sub" => Tag("sub"),
        "small" => Tag("small"),
        "big" => Tag("big"),
        "mark" => Tag("mark"),
        "kbd" => Tag("kbd"),
        "abbr" | "acronym" | "bdi" | "bdo" | "button" | "data" | "font" | "label" | "map"
        | "meter" | "nobr" | "option" | "output" | "picture" | "progress" | "q" | "rb" | "rp"
        | "rt" | "ruby" | "select" | "span" | "textarea" | "time" => Inline,
        "address" | "article" | "aside" | "body" | "center" | "dd" | "details" | "dialog"
        | "dir" | "div" | "dl" | "dt" | "fieldset" | "figure" | "footer" | "form" | "header"
        | "hgroup" | "html" | "legend" | "main" | "menu" | "nav" | "noscript" | "optgroup"
        | "p" | "search" | "section" | "summary" => Block,
        "h1" => Heading(1),
        "h2" => Heading(2),
        "h3" => Heading(3),
        "h4" => Heading(4),
        "h5" => Heading(5),
        "h6" => Heading(6),
        "blockquote" => Quote,
        "ul" => List { ordered: false },
        "ol" => List { ordered: true },
        "li" => ListItem,
        "pre" | "listing" | "xmp" => Preformatted,
        "hr" => Rule,
        "table" => Table,
        "tr" => TableRow,
        "td" => TableCell { head: false },
        "th" => TableCell { head: true },
        "tbody" | "thead" | "tfoot" => Inline,
        "figcaption" | "caption" => Caption,
        "iframe" | "video" | "audio" | "object" | "embed" => Embed,
        "script" | "style" => Hidden,
        "area" | "base" | "basefont" | "bgsound" | "col" | "colgroup" | "head" | "input"
        | "link" | "meta" | "param" | "source" | "track" | "wbr" => Nothing,
        _ => return None,
    })
}

/// Whether an element has no end tag (HTML, 13.1.2).
pub(crate) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "image"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

impl Element {
    /// Whether it begins a block of its own.
    pub(crate) fn is_block(self) -> bool {
        use Element::*;
        matches!(
            self,
            Block
                | Heading(_)
                | Quote
                | List { .. }
                | ListItem
                | Preformatted
                | Rule
                | Table
                | TableRow
                | TableCell { .. }
                | Caption
                | Embed
        )
    }
}
