use super::*;

fn theme(files: &[(&str, &str)]) -> Files {
    Files {
        name: "mine".into(),
        manifest: String::new(),
        templates: files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
    }
}

fn said(files: &[(&str, &str)]) -> String {
    check(&theme(files))
        .expect_err("a fault was expected")
        .to_string()
}

fn said_of(layout: &str) -> String {
    said(&[("layout.mjml", layout)])
}

#[test]
fn a_sound_theme_passes() {
    let layout = "<mjml lang=\"{{ lang }}\"><mj-head><mj-style>a > b { color: red } @media x{.a{color:red}}</mj-style></mj-head>\n\
        <mj-body>{% for part in parts %}<mj-section><mj-column><mj-text {% if rtl %}align=\"right\"{% endif %}>\
        <h{{ level }}{% if long %} class=\"l\"{% endif %}>{{ heading }}</h{{ level }}>&nbsp;<br/><img src=\"{{ src }}\" alt=\"\"/></mj-text></mj-column></mj-section>\
        {% include \"part.mjml\" %}{% endfor %}</mj-body></mjml>";
    let files = theme(&[
        ("layout.mjml", layout),
        ("part.mjml", "<mj-spacer height=\"1px\"/>"),
    ]);
    assert_eq!(check(&files), Ok(()));
}

#[test]
fn faults_name_file_and_line() {
    for (layout, words) in [
        (
            "<mjml>\n<mj-txet>x</mj-txet></mjml>",
            "mine/layout.mjml:2: there is no element <mj-txet>",
        ),
        (
            "<mj-text\n  colour=\"red\">x</mj-text>",
            "layout.mjml:2: <mj-text> has no attribute “colour”",
        ),
        (
            "<mj-image src=\"x\"/>",
            "layout.mjml:1: <mj-image> has no alt",
        ),
        ("\n\n<img src=\"x\"/>", "layout.mjml:3: <img> has no alt"),
        ("<p>a", "layout.mjml:1: <p> is not closed"),
        (
            "<p><b>a</p></b>",
            "layout.mjml:1: </p> closes <b> of line 1",
        ),
        ("</p>", "closes nothing"),
        ("<P>a</P>", "lower case"),
        ("<p>a < b</p>", "write &lt;"),
        ("<p>a & b</p>", "write &amp;"),
        ("<!doctype html>", "doctypes"),
        ("<p><![CDATA[x]]></p>", "CDATA"),
        ("<p style=\"a\nb\">x</p>", "line break"),
        ("<p title=\"a\\b\">x</p>", "backslash"),
        ("<p title=\"a\u{200d}b\">x</p>", "would not survive"),
        ("<p title=a>x</p>", "double quotes"),
        ("<p title=\"a>x</p>", "is not closed"),
        ("<p>{{ x </p>", "Jinja tag is not closed"),
        ("<p>{%}</p>", "Jinja tag is not closed"),
        ("<!-- a", "comment is not closed"),
        ("<p>lpT3x</p>", "reserved"),
        ("<mj-include path=\"x.mjml\"/>", "{% include"),
        ("<p>{% include \"none.mjml\" %}</p>", "no file “none.mjml”"),
    ] {
        let said = said_of(layout);
        assert!(said.contains(words), "{layout:?} gave: {said}");
    }
}

#[test]
fn a_file_that_includes_itself_is_refused() {
    let files = [
        ("a.mjml", "{% include \"b.mjml\" %}"),
        ("b.mjml", "<p>x</p>\n{% include 'a.mjml' %}"),
    ];
    assert!(
        said(&files).contains("mine/b.mjml:2: a.mjml includes itself (a.mjml → b.mjml → a.mjml)")
    );
    assert!(said_of("{% include \"layout.mjml\" %}").contains("includes itself"));
}

#[test]
fn depth_is_bounded_before_mrml_sees_it() {
    let deep = |n: usize| format!("{}{}", "<div>".repeat(n), "</div>".repeat(n));
    assert_eq!(check_depth(&deep(DEPTH_MAX)), Ok(()));
    assert!(check_depth(&deep(DEPTH_MAX + 1)).is_err());
    assert!(said_of(&deep(20_000)).contains("deeper than 64"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(layout in "\\PC{0,80}", markup in "[<>/a-c\"= {}%#&;\\n!-]{0,60}") {
        let _ = check(&theme(&[("layout.mjml", &layout)]));
        let _ = check(&theme(&[("layout.mjml", &markup)]));
        let _ = check_depth(&markup);
    }
}
