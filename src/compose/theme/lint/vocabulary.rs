//! The elements of MJML that themes may use, and their attributes (documentation.mjml.io, version 5).
//!
//! Left out: what mrml draws wrongly (carousels, heroes with fluid heights, accordions), and what mail from a
//! list has no use for.

const PADDING: [&str; 5] = [
    "padding",
    "padding-top",
    "padding-right",
    "padding-bottom",
    "padding-left",
];
const BORDER: [&str; 6] = [
    "border",
    "border-top",
    "border-right",
    "border-bottom",
    "border-left",
    "border-radius",
];
const FONT: [&str; 9] = [
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "letter-spacing",
    "line-height",
    "text-decoration",
    "text-transform",
];
const COMMON: [&str; 2] = ["css-class", "mj-class"];

/// Elements with the groups of attributes they take, and those of their own.
type Entry = (
    &'static str,
    &'static [&'static [&'static str]],
    &'static [&'static str],
);

const ELEMENTS: &[Entry] = &[
    ("mjml", &[], &["lang", "dir", "owa"]),
    ("mj-head", &[], &[]),
    ("mj-body", &[&COMMON], &["background-color", "width"]),
    ("mj-title", &[], &[]),
    ("mj-preview", &[], &[]),
    ("mj-breakpoint", &[], &["width"]),
    ("mj-style", &[], &[]),
    ("mj-raw", &[], &[]),
    ("mj-attributes", &[], &[]),
    ("mj-all", &[&FONT, &PADDING], &["align", "direction"]),
    (
        "mj-class",
        &[&FONT, &PADDING, &BORDER],
        &["name", "align", "background-color"],
    ),
    (
        "mj-section",
        &[&COMMON, &PADDING, &BORDER],
        &["background-color", "direction", "full-width", "text-align"],
    ),
    (
        "mj-wrapper",
        &[&COMMON, &PADDING, &BORDER],
        &["background-color", "full-width", "text-align"],
    ),
    (
        "mj-group",
        &[&COMMON],
        &["background-color", "direction", "vertical-align", "width"],
    ),
    (
        "mj-column",
        &[&COMMON, &PADDING, &BORDER],
        &[
            "background-color",
            "direction",
            "inner-background-color",
            "vertical-align",
            "width",
        ],
    ),
    (
        "mj-text",
        &[&COMMON, &FONT, &PADDING],
        &["align", "container-background-color", "height"],
    ),
    (
        "mj-image",
        &[&COMMON, &PADDING, &BORDER],
        &[
            "align",
            "alt",
            "container-background-color",
            "fluid-on-mobile",
            "font-size",
            "height",
            "href",
            "max-height",
            "rel",
            "src",
            "target",
            "title",
            "width",
        ],
    ),
    (
        "mj-button",
        &[&COMMON, &FONT, &PADDING, &BORDER],
        &[
            "align",
            "background-color",
            "container-background-color",
            "height",
            "href",
            "inner-padding",
            "rel",
            "target",
            "text-align",
            "title",
            "vertical-align",
            "width",
        ],
    ),
    (
        "mj-divider",
        &[&COMMON, &PADDING],
        &[
            "align",
            "border-color",
            "border-style",
            "border-width",
            "container-background-color",
            "width",
        ],
    ),
    (
        "mj-spacer",
        &[&COMMON, &PADDING],
        &["container-background-color", "height"],
    ),
    (
        "mj-table",
        &[&COMMON, &FONT, &PADDING],
        &[
            "align",
            "border",
            "cellpadding",
            "cellspacing",
            "container-background-color",
            "role",
            "table-layout",
            "width",
        ],
    ),
];

/// The attributes of an element of MJML; `None` for one that themes can't use, and for HTML. The defaults in
/// `mj-attributes` name an element again and take its attributes.
pub(super) fn attributes(element: &str) -> Option<Vec<&'static str>> {
    let (_, groups, own) = ELEMENTS.iter().find(|(name, ..)| *name == element)?;
    Some(
        groups
            .iter()
            .copied()
            .flatten()
            .chain(own.iter())
            .copied()
            .collect(),
    )
}

/// The element whose name is written most alike.
pub(super) fn nearest_element(name: &str) -> &'static str {
    ELEMENTS
        .iter()
        .map(|(known, ..)| *known)
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
        .unwrap_or("mj-text")
}
