use super::*;
use crate::model::Severity;

/// What a body becomes.
fn text(body: &str) -> String {
    translate(body).text
}

/// The findings of a body: weight, message and lines.
fn found(body: &str) -> Vec<(Severity, String, Vec<usize>)> {
    translate(body)
        .findings
        .into_iter()
        .map(|f| {
            let lines = if f.lines.is_empty() {
                f.line.into_iter().collect()
            } else {
                f.lines
            };
            (f.severity, f.message, lines)
        })
        .collect()
}

#[test]
fn code_is_never_touched() {
    for body in [
        "Use `{% raw %}` and `{{ site.url }}` and ``*|FNAME|* ` $a_1$``.\n",
        "```liquid\n{% include a.html %}\n{{< youtube x >}}\n$$\na\n$$\n{:.x}\n```\n",
        "~~~\n{% highlight x %}\n~~~\n",
        "    {% include a.html %}\n    [[Note]]\n",
        "- item\n\n  ```\n  {{ f() }}\n  ```\n",
        "<pre>{% x %} [[a]]</pre>\n",
        "<!-- {% x %}\n\n$a_1$ -->\n",
        "<code>*|FNAME|*</code> and `==a==`\n",
        "`https://a.example/_b_/`\n",
    ] {
        assert_eq!(text(body), body);
        assert_eq!(found(body), []);
    }
}

#[test]
fn prose_that_only_resembles_the_syntax_of_others_stays() {
    for body in [
        "It costs $5 or $10, from $20K to $30K, US$6 and $1,000.\n",
        "From $5/month to 10$ a month.\n",
        "Set $HOME/$USER and $PATH:$HOME.\n",
        "Vec<T>, HashMap<String, Option<T>>, <T> alone and Rc<RefCell<Foo>>.\n",
        "a == b and c == d, x=y, a^b, 20~25°C and 3~5 天，10~20 元, ^_^\n",
        "See [[1]](https://a.example) and a[[0]] and [^1] and [[2]].\n",
        "100%% of 50%% is much; 5% {% of it.\n",
        "\\[sic\\] and \\(see here\\) are escapes.\n",
        "Braces { name }, {name}, {} and {{ name }}.\n",
        "${{ secrets.TOKEN }} stays.\n",
        "import duties rise\n\nexport is down\n",
        "1 * 2 | 3 * 4\n",
        "Rows [i][j] and m[i][j] and [x] done.\n",
        "a <B and c> d\n",
    ] {
        assert_eq!(text(body), body);
        assert_eq!(found(body), [], "{body}");
    }
}

#[test]
fn liquid_and_shortcodes_become_what_readers_can_use() {
    let body = "{{< subscribe >}}\n\nOne paragraph. {% assign timestamp=\"1:02\" %}\n\n{% include sponsor.html %}\n\n\
        {{ image_figure(\n    alt=\"Playing with dirt\"\n    src=\"garden.gif\") }}\n\n## Code\n\n{% highlight swift %}\n\
        a.b = !a.b\n\n```\n{% endhighlight %}\n\n{{< youtube w7Ft2ymGmfc >}}\n\n*|FNAME|*, thank you.\n";
    assert_eq!(
        text(body),
        "\n\nOne paragraph. \n\n\n\n<figure><img src=\"garden.gif\" alt=\"Playing with dirt\"></figure>\n\n## Code\n\n\
         ````swift\na.b = !a.b\n\n```\n````\n\n\
         <iframe src=\"https://www.youtube.com/watch?v=w7Ft2ymGmfc\"></iframe>\n\n{{ name }}, thank you.\n"
    );
    let found = found(body);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(
        found[0].1,
        "template tags are left out: {% assign %}, {% include %}"
    );
    assert_eq!(
        (found[0].0, found[0].2.as_slice()),
        (Severity::Warning, &[3, 5][..])
    );
    assert_eq!(found[1].1, "shortcodes are left out: {{< subscribe >}}");
    assert_eq!(found[2].0, Severity::Note);
}

#[test]
fn tags_of_a_whole_line_stand_apart_and_those_within_a_line_are_links() {
    assert_eq!(
        text("before\n{{< vimeo 12 >}}\nafter\n"),
        "before\n\n<iframe src=\"https://vimeo.com/12\"></iframe>\n\nafter\n"
    );
    assert_eq!(
        text("See {% embed url=\"https://a.example/x\" %} now.\n"),
        "See <iframe src=\"https://a.example/x\"></iframe> now.\n"
    );
    assert_eq!(
        text("{{< button href=\"https://a.example\" >}}Get it{{< /button >}} now\n"),
        "[Get it](<https://a.example>) now\n"
    );
    assert_eq!(
        text(
            "[a]({{ site.baseurl }}/b) ![]({{ \"/c.png\" | relative_url }}) [d]({static}/e.pdf)\n"
        ),
        "[a](/b) ![](/c.png) [d](e.pdf)\n"
    );
    assert_eq!(text("{{</* youtube x */>}}\n"), "\\{\\{\\< youtube x >}}\n");
}

#[test]
fn raw_text_and_comments_of_templates() {
    assert_eq!(
        text("{% raw %}Hello {{ name }} and {% x %}{% endraw %}!\n"),
        "Hello \\{{ name }} and \\{% x %}!\n"
    );
    assert_eq!(text("a{% comment %} b\n\nc {% endcomment %}d\n"), "ad\n");
    assert_eq!(text("{% if a %}b{% else %}c{% endif %}\n"), "bc\n");
    assert_eq!(
        text("x {% highlight js %}a < b{% endhighlight %} y\n"),
        "x `a < b` y\n"
    );
    assert_eq!(
        text("{{< highlight go >}}\nfunc\n{{< /highlight >}}\n"),
        "```go\nfunc\n```\n"
    );
    assert_eq!(
        text("{% codeblock lang:rust %}\nlet a;\n{% endcodeblock %}\n"),
        "```rust\nlet a;\n```\n"
    );
}

#[test]
fn quotations_and_remarks_are_quoted() {
    assert_eq!(
        text("{% quote(author=\"Ann\") %}\nOne.\n\nTwo.\n{% end %}\n\nafter\n"),
        "\n> One.\n> \n> Two.\n>\n> — Ann\n\nafter\n"
    );
    assert_eq!(
        text(":::tip Look\nA *tip*.\n:::\n\nb\n"),
        "> **Look**\n>\n> A *tip*.\n\n\n\nb\n"
    );
    assert_eq!(text("::: {.panel}\nA.\n:::\n"), "\nA.\n\n");
}

#[test]
fn the_end_of_a_pair_that_is_understood_is_not_told() {
    assert_eq!(found("{% quote(author=\"Ann\") %}\nOne.\n{% end %}\n"), []);
    assert_eq!(found(":::tip\nOne.\n:::\n"), []);
}

#[test]
fn attributes_of_kramdown_go_and_ids_stay() {
    for (body, want) in [
        (
            "## Need help {#need-help}\n\nText.\n",
            "<a id=\"need-help\"></a>\n\n## Need help \n\nText.\n",
        ),
        ("{:.post-title}\n## New plugins\n", "\n## New plugins\n"),
        (
            "{:#sighash} Eltoo requires.\n",
            "<a id=\"sighash\"></a> Eltoo requires.\n",
        ),
        (
            "Text.\n{: .note #n1}\n\nb\n",
            "Text. <a id=\"n1\"></a>\n\n\nb\n",
        ),
        ("b\n## A\n{: #a}\n", "b\n\n<a id=\"a\"></a>\n\n## A\n\n"),
        ("{: #a}\n## A\n", "<a id=\"a\"></a>\n\n## A\n"),
        (
            "[a](https://a.example){:target=\"_blank\" rel=\"no opener\"} b\n",
            "[a](https://a.example) b\n",
        ),
        ("![a](a.png){width=50%}\n", "![a](a.png)\n"),
        ("*a*{: .red}\n", "*a*\n"),
        ("* TOC\n{:toc}\n\n## A\n", "\n\n## A\n"),
        ("[TOC]\n\n## A\n", "\n\n## A\n"),
        ("Head {.unnumbered}\n====\n", "Head \n====\n"),
        ("{::comment}\nx\n{:/comment}\nb\n", "\nb\n"),
        ("*[HTML]: Hyper Text\n\nHTML\n", "\n\nHTML\n"),
        ("\\\\\nOlá a todos,\n", "\nOlá a todos,\n"),
        ("one\\\\\ntwo\\\\\n\nthree\n", "one\\\ntwo\n\nthree\n"),
    ] {
        assert_eq!(text(body), want);
    }
    assert_eq!(found("## A {#a}\n"), []);
    let classes = found("a\n{:.b}\n\nc\n{:.b}\n");
    assert_eq!(classes.len(), 1);
    assert_eq!(
        (classes[0].0, classes[0].2.as_slice()),
        (Severity::Note, &[2, 5][..])
    );
}

#[test]
fn notes_of_obsidian_are_words_and_pictures() {
    for (body, want) in [
        (
            "==重要==和==要点==。\n",
            "<mark>重要</mark>和<mark>要点</mark>。\n",
        ),
        ("See [[Wiki link]].\n", "See Wiki link.\n"),
        (
            "See [[Note|the note]] and [[Note#Part]].\n",
            "See the note and Note > Part.\n",
        ),
        ("![[my pic.png]]\n", "![](<my pic.png>)\n"),
        (
            "![[a.png|300]]\n",
            "<figure><img src=\"a.png\" alt=\"\" width=\"300\"></figure>\n",
        ),
        ("![[a.png|A tree]]\n", "![A tree](<a.png>)\n"),
        ("[[https://a.example|a]]\n", "[a](<https://a.example>)\n"),
        ("a %%hidden%% b\n", "a  b\n"),
        ("%%\nhidden\n\n## x\n%%\nb\n", "\nb\n"),
        (
            "Some ==marked *text*== here\n",
            "Some <mark>marked *text*</mark> here\n",
        ),
        (
            "H~2~O and x^2^ and CO~2~\n",
            "H<sub>2</sub>O and x<sup>2</sup> and CO<sub>2</sub>\n",
        ),
    ] {
        assert_eq!(text(body), want);
    }
    assert_eq!(found("[[A]]\n\n[[B]]\n")[0].2, [1, 3]);
}

#[test]
fn mdx_loses_its_program_and_keeps_its_words() {
    for (body, want) in [
        ("\nimport X from './x'\n\nText.\n", "\n\n\nText.\n"),
        (
            "import X from './x'\nimport './y.css';\n\nText.\n",
            "\n\n\nText.\n",
        ),
        (
            "export const meta = {\n  a: 1,\n}\n\nText.\n",
            "\n\nText.\n",
        ),
        (
            "<SubscribeFormEmbed placement=\"top\" />\n\n## One\n",
            "\n\n## One\n",
        ),
        ("<Callout>\n\nText.\n\n</Callout>\n", "\n\nText.\n\n\n"),
        (
            "<Tweet id=\"123\" />\n",
            "<iframe src=\"https://twitter.com/i/status/123\"></iframe>\n",
        ),
        (
            "<Button href=\"https://a.example\">Go</Button>\n",
            "<a href=\"https://a.example\">Go</a>\n",
        ),
        (
            "<Chart\n  data={[1, 2]}\n  title=\"Sales\"\n/>\n\nb\n",
            "<p><strong>Sales</strong></p>\n\n\nb\n",
        ),
        ("a {/* hidden */} b\n", "a  b\n"),
    ] {
        assert_eq!(text(body), want);
    }
    assert_eq!(
        found("<A b=\"c\" />\n\n<D />\n")[0].1,
        "components are left out: <A>, <D>"
    );
}

#[test]
fn merge_tags_are_our_fields_or_nothing() {
    for (body, want) in [
        (
            "Hi *|FNAME|* (*|EMAIL|*), *|UNSUB|*.\n",
            "Hi {{ name }} ({{ email }}), .\n",
        ),
        (
            "*|IF:FNAME|**|FNAME|**|ELSE:|*friend*|END:IF|*, hi\n",
            "{{ name | default(\"friend\") }}, hi\n",
        ),
        (
            "{first_name, \"there\"}\n",
            "{{ name | default(\"there\") }}\n",
        ),
        (
            "{{ subscriber.first_name }} {{ subscriber.metadata.city }}\n",
            "{{ name }} \n",
        ),
        (
            "{{ .Subscriber.Name }} {{ contact.email }}\n",
            "{{ name }} {{ email }}\n",
        ),
        (
            "{{ subscriber.first_name | default: \"you\" }}\n",
            "{{ name | default(\"you\") }}\n",
        ),
        (
            "[Share](%%share_url%%) %%first_name%%\n",
            "[Share]() {{ name }}\n",
        ),
        ("{{ unsubscribe_url }}{{ subscribe_form }}\n", "\n"),
    ] {
        assert_eq!(text(body), want);
    }
    let (subject, findings) = line("*|FNAME|*: {% if x %}news{% endif %} {{< youtube x >}}");
    assert_eq!(subject, "{{ name }}: news");
    assert!(findings.iter().all(|f| f.code.starts_with("syntax-")));
}

#[test]
fn formulas_become_code() {
    for (body, want) in [
        (
            "For $\\gamma$ and $a_1*b_1 + a_2*b_2$ we\n",
            "For `\\gamma` and `a_1*b_1 + a_2*b_2` we\n",
        ),
        (
            "$n$, $O(n)$ and $x^2$, $f(x)=1$.\n",
            "`n`, `O(n)` and `x^2`, `f(x)=1`.\n",
        ),
        (
            "\\(a_b*c\\) and \\[x = y\\] here\n",
            "`a_b*c` and `x = y` here\n",
        ),
        (
            "we have\n\n$$\na \\\\\n= b\n$$\n\nand\n",
            "we have\n\n```math\na \\\\\n= b\n```\n\nand\n",
        ),
        (
            "we have\n$$ x_1 $$\nand\n",
            "we have\n\n```math\n x_1\n```\n\nand\n",
        ),
        ("\\[\nx = y\n\\]\n", "```math\nx = y\n```\n"),
        ("a $$x_1$$ b\n", "a `x_1` b\n"),
        (
            "\\begin{align}\nx_1 &= 2 \\\\\n- y\n\\end{align}\n",
            "```math\n\\begin{align}\nx_1 &= 2 \\\\\n- y\n\\end{align}\n```\n",
        ),
        ("cost \\$5 and $x_1$\n", "cost \\$5 and `x_1`\n"),
        (
            "$\\gamma = \\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}$\n",
            "`\\gamma = \\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}`\n",
        ),
    ] {
        assert_eq!(text(body), want);
    }
}

#[test]
fn definitions_are_found_wherever_they_stand() {
    for body in [
        "See [a][b] and [c][].\n\n{% include references.md %}\n[b]: https://b.example\n[C]: https://c.example\n",
        "See [a][b] and [c][].\n[b]: https://b.example\n[c]: https://c.example \"t\"\n",
        "See [a][b] and [c][].\n\n- one\n- two\n[b]: https://b.example\n[c]: <https://c.example>\n",
        "See [a][b] and [c][].\n\n    [b]: https://b.example\n    [c]: https://c.example\n",
        "See [a][b] and [c].\n\n> text\n> [b]: https://b.example\n> [c]: https://c.example\n",
    ] {
        let html = comrak::markdown_to_html(&text(body), &crate::manuscript::markdown::options());
        for url in ["https://b.example", "https://c.example"] {
            assert!(html.contains(&format!("href=\"{url}\"")), "{body}\n{html}");
        }
        assert!(!html.contains("]:") && !html.contains("]["), "{html}");
        assert!(found(body).iter().all(|f| f.1.starts_with("template tags")));
    }
    let code = "[a][b]\n\n```\n[b]: https://b.example\n```\n";
    assert_eq!(text(code), code);
}

#[test]
fn labels_without_a_definition_are_told_by_their_line() {
    let body = "# T\n\nHe [posted][morehouse] it, see\n[linear programming][].\n\n- [x] done\n- [ ] open\n\n\
        See [1] and [2][3], `[a][b]`, m[i][j], [sic].\n\n    [c][d]\n";
    let found = found(body);
    let lines: Vec<_> = found.iter().map(|f| f.2[0]).collect();
    assert_eq!(lines, [3, 4], "{found:#?}");
    assert!(found[0].1.contains("[morehouse]") && found[0].0 == Severity::Warning);
}

#[test]
fn bare_addresses_keep_their_signs() {
    for (body, want) in [
        (
            "See https://a.example/__init__.py for it.\n",
            "See <https://a.example/__init__.py> for it.\n",
        ),
        (
            "(https://a.example/*list*/all), b\n",
            "(<https://a.example/*list*/all>), b\n",
        ),
        (
            "https://a.example/~bob/ or https://b.example/~eve/\n",
            "<https://a.example/~bob/> or <https://b.example/~eve/>\n",
        ),
        (
            "https://a.example/`b`/c d\n",
            "<https://a.example/`b`/c> d\n",
        ),
        (
            "https://a.example/?f[n]=a&i[]=1\n",
            "<https://a.example/?f[n]=a&i[]=1>\n",
        ),
        (
            "**https://a.example/x** and *https://b.example/y_z*.\n",
            "**https://a.example/x** and *<https://b.example/y_z>*.\n",
        ),
    ] {
        assert_eq!(text(body), want);
    }
    for body in [
        "[a](https://a.example/_b_) <https://a.example/*b*> ![](https://a.example/_c_.png)\n",
        "[see https://a.example/_b_ there](https://c.example)\n",
        "[b]: https://a.example/_b_\n\n[b]\n",
        "<a href=\"https://a.example/_b_/\">x</a>\n",
        "<div>\nhttps://a.example/_b_\n</div>\n",
        "https://a.example/b and https://a.example/c.\n",
    ] {
        assert_eq!(text(body), body);
    }
}

#[test]
fn a_heading_below_a_tag_is_a_heading() {
    assert_eq!(
        text("<div id='new'/>\n# What's new?\n\nText.\n"),
        "<div id='new'/>\n\n# What's new?\n\nText.\n"
    );
    assert_eq!(
        text(
            "<section>
## R
"
        ),
        "<section>

## R
"
    );
    for body in [
        "<pre>\n# a\n</pre>\n",
        "<!--\n# a\n-->\n",
        "```\n<div>\n# a\n```\n",
        "a\n# B\n",
        "<a name=\"r\"></a>\n## R\n",
    ] {
        assert_eq!(text(body), body);
    }
    let lines = translate("<div>\n# A\n\nb\n").lines;
    assert_eq!([2, 3, 4, 5].map(|line| lines.origin(line)), [2, 2, 3, 4]);
}

#[test]
fn an_opening_whose_end_would_overlap_it_is_text() {
    for body in [
        "{%}",
        "{%}}",
        "{{%}}",
        "{{<}}",
        "{{}",
        "{%-%}",
        "{{%%}}",
        "{{<>}}",
        "{{}}",
        "{% quote %}\nx\n{%}\n",
    ] {
        let translated = translate(body);
        assert!(translated.lines.origin(1) == 1, "{body}");
    }
    for body in ["{%}", "{%}}", "{{%}}", "{{<}}"] {
        assert_eq!(text(body), body);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn bit() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,4} ?",
            "[ \n]{1,2}",
            "\\{[%{:#<./]|[%}>]\\}|\\{::|\\$\\$?|\\\\[\\[\\](){}\n]",
            "\\[\\[|\\]\\]|!\\[\\[|==|%%|\\^|~|`{1,3}|\\*\\||\\|\\*|:::",
            "<[A-Z][a-z]* |/>|</[A-Z]>|import |export |\\]:|\\]\\[|\\[",
            Just("highlight".to_owned()),
            Just("endraw".to_owned()),
            Just("raw".to_owned()),
            Just("https://a.example/_b_".to_owned()),
            "\\PC{0,3}",
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_translated_with_its_lines(bits in proptest::collection::vec(bit(), 0..40)) {
            let body = bits.concat();
            let translated = translate(&body);
            let lines = body.matches('\n').count() + 1;
            let count = translated.text.matches('\n').count() + 1;
            let origins: Vec<usize> = (1..=count).map(|line| translated.lines.origin(line)).collect();
            prop_assert!(origins.iter().all(|line| (1..=lines).contains(line)), "{origins:?} of {lines}");
            for finding in &translated.findings {
                prop_assert!(finding.line.is_some_and(|line| line <= lines), "{finding:?}");
            }
            let _ = line(&body);
        }

        #[test]
        fn text_without_the_signs_of_others_is_not_changed(body in "[a-zé,. \n!?'\"()-]{0,80}") {
            prop_assert_eq!(translate(&body).text, body);
        }
    }
}
