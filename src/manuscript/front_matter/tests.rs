use super::*;

fn keys(text: &str) -> Vec<(String, Value, usize)> {
    let front = split(text).unwrap().expect("front matter");
    let mut list = front.entries().unwrap().list;
    // Those on one line of JSON stand in no order.
    list.sort_by_key(|e| (e.line, e.key == "number"));
    list.into_iter().map(|e| (e.key, e.value, e.line)).collect()
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

#[test]
fn the_three_styles_say_the_same() {
    let want = |a, b| {
        vec![
            ("title".into(), text("A: b"), a),
            ("number".into(), text("7"), b),
        ]
    };
    assert_eq!(
        keys("+++\ntitle = \"A: b\"\nnumber = 7\n+++\nx\n"),
        want(2, 3)
    );
    assert_eq!(
        keys("---\ntitle: 'A: b'\n# note\nnumber: 7\n---\nx\n"),
        want(2, 4)
    );
    assert_eq!(keys("title: A: b\nnumber: 7\n\nx\n"), want(1, 2));
    assert_eq!(keys("\n\ntitle: A:\n  b\nnumber: 7"), want(3, 5));
    assert_eq!(keys("    title: A: b\n    number: 7\n\nx\n"), want(1, 2));
    assert_eq!(
        keys("---\n\n  title: 'A: b'\n  number: 7\n---\nx\n"),
        want(3, 4)
    );
    assert_eq!(
        keys("{\n  \"title\": \"A: b\",\n  \"number\": 7\n}\n\nx\n"),
        want(2, 3)
    );
    assert_eq!(
        keys("{ \"title\": \"A: b\", \"number\": 7 }\nx\n"),
        want(1, 1)
    );
}

fn found(text: &str) -> Vec<(&'static str, Option<usize>)> {
    let entries = split(text).unwrap().unwrap().entries().unwrap();
    entries.findings.iter().map(|f| (f.code, f.line)).collect()
}

#[test]
fn a_value_without_its_quotation_marks_is_text() {
    for (value, want) in [
        (
            "Issue 12: the one with a colon",
            "Issue 12: the one with a colon",
        ),
        ("@reader, hello", "@reader, hello"),
        ("{{ name }}, hello", "{{ name }}, hello"),
        ("*|FNAME|*, hello", "*|FNAME|*, hello"),
        ("100% `real`: yes", "100% `real`: yes"),
    ] {
        let front = format!("---\ntags: [a, b]\ntitle: {value}\ndraft: true\n---\n");
        let title = keys(&front).into_iter().find(|(key, ..)| key == "title");
        assert_eq!(title, Some(("title".into(), text(want), 3)), "{value}");
        assert_eq!(found(&front), [("front-matter-unquoted", Some(3))]);
    }
}

#[test]
fn a_key_that_stands_twice_counts_as_it_stands_last_and_is_told() {
    for front in [
        "---\ndate: 2019-11-07\ntitle: T\ndate: 2019-10-07\n---\n",
        "\nDate: 2019-11-07\nTitle: T\nDate: 2019-10-07\n",
        "{\n\"date\": \"2019-11-07\",\n\"title\": \"T\",\n\"date\": \"2019-10-07\"\n}\n",
    ] {
        let last = keys(front)
            .into_iter()
            .rfind(|(key, ..)| normal(key) == "date");
        assert_eq!(
            last.map(|(_, value, _)| value),
            Some(text("2019-10-07")),
            "{front}"
        );
        assert_eq!(found(front), [("front-matter-double", Some(4))], "{front}");
    }
}

#[test]
fn a_parsers_own_words_are_not_told() {
    for front in [
        "---\na: *b\n---\n",
        "---\na: [1, 2\n---\n",
        "---\na: \"b\n---\n",
        "---\n? [a, b]\n: c\n---\n",
        "---\na: !!int x\n---\n",
        "{\n\"a\": b\n}\n",
    ] {
        let found = match split(front) {
            Ok(front) => front.map_or(Vec::new(), |f| f.entries().err().unwrap_or_default()),
            Err(finding) => vec![*finding],
        };
        for finding in found {
            assert_eq!(
                in_plain_words(&finding.message),
                Some(finding.message.as_str())
            );
        }
    }
}

#[test]
fn what_only_resembles_front_matter_is_text() {
    for text in [
        "---\n\nA line across.\n\n---\n",
        "---\nProse, and more.\n---\n",
        "Note: a thing\n\ntext",
        "",
        "https://a.example\n",
        "Title: x\nand prose\n\n",
        "Dear reader,\nTitle: x\n",
        "{ a set }\n",
        "{{ name }}, hello\n",
        "{}\n",
        "{\"a\": 1} is JSON\n",
    ] {
        assert_eq!(split(text).unwrap(), None, "{text:?}");
    }
}

#[test]
fn front_matter_is_bounded_in_bytes_keys_and_depth() {
    let code = |text: &str| {
        let found = split(text).unwrap().unwrap().entries().unwrap_err();
        found.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    let many = |n: usize, line: &str| -> String {
        (0..n).map(|i| line.replace('#', &i.to_string())).collect()
    };
    for n in [501, 2000, 40_000] {
        for text in [
            format!("+++\n{}+++\n", many(n, "k# = 1\n")),
            format!("---\n{}---\n", many(n, "k#: 1\n")),
            format!("title: x\n{}\n", many(n, "key: #\n")),
        ] {
            assert_eq!(code(&text), ["front-matter-too-large"], "{n}");
        }
    }
    let most = format!("+++\n{}+++\n", many(KEYS_MAX, "k# = 1\n"));
    assert_eq!(keys(&most).len(), KEYS_MAX);
    let title = "x".repeat(MAX_BYTES);
    assert_eq!(
        code(&format!("title: {title}\n\n")),
        ["front-matter-too-large"]
    );
    let deep = "[".repeat(40) + &"]".repeat(40);
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for pair in ["ab", "bc", "cd", "de"] {
        let (of, name) = pair.split_at(1);
        let aliases = vec![format!("*{of}"); 9].join(",");
        bomb.push_str(&format!("{name}: &{name} [{aliases}]\n"));
    }
    for text in [
        format!("---\na: {deep}\n---\n"),
        format!("---\n{bomb}---\n"),
    ] {
        assert_eq!(code(&text), ["front-matter-malformed"], "{text}");
    }
    let mistakes = format!("+++\n{}+++\n", "=\n".repeat(1000));
    assert_eq!(code(&mistakes).len(), MISTAKES_MAX);
}

#[test]
fn a_malformed_line_is_named() {
    let place = |text: &str| {
        let found = split(text).unwrap().unwrap().entries().unwrap_err();
        (found[0].line.unwrap(), found[0].column.is_some())
    };
    assert_eq!(place("+++\ntitle = \"unclosed\n+++\ntext\n"), (2, true));
    assert_eq!(place("+++\na = 1\nb = ,\nc = 2\n+++\n"), (3, true));
    assert_eq!(place("---\na: 1\nb: [1, 2\nc: 3\n---\n").0 / 3, 1);
    assert_eq!(place("---\ntitle: \"a\n---\n").0, 2);
    let json = split("{\n\"a\": 1,\n\"b\" 2\n}\n").unwrap_err();
    assert_eq!((json.code, json.line), ("front-matter-malformed", Some(3)));
    let open = split("+++\ntitle = 1\n").unwrap_err();
    assert_eq!((open.code, open.line), ("front-matter-open", Some(1)));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\+\\+\\+|---|\\{\n|\"title\": |\\.\\.\\.|title|number|[:= \"'\\[\\]{},.#\n&*!|>-]|[a-z0-9é年]){0,40}") {
        if let Ok(Some(front)) = split(&text) {
            proptest::prop_assert!(text.ends_with(front.body));
            let _ = front.entries();
        }
    }
}
