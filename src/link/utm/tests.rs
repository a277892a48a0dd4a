use proptest::prelude::*;

use super::*;

fn utm(campaign: &str) -> Utm {
    Utm {
        source: "Revue newsletter".into(),
        medium: "email".into(),
        campaign: campaign.into(),
        only_domains: vec![],
        never_domains: vec![],
    }
}

const FACTS: Facts<'static> = Facts {
    list_name: "Akira's Machine Learning News",
    number: Some(22),
    date: Some(jiff::civil::date(2021, 6, 7)),
    slug: "022",
    campaign: None,
};

fn tagger() -> Tagger {
    Tagger::new(&utm("{list}"), &FACTS, Some("https://letters.example.org"))
}

const CAMPAIGN: &str = "utm_campaign=Akira%27s%20Machine%20Learning%20News";
const REST: &str = "utm_medium=email&utm_source=Revue%20newsletter";

#[test]
fn a_bare_link_gets_revues_form() {
    assert_eq!(
        tagger().with_parameters("https://example.com/a"),
        format!("https://example.com/a?{CAMPAIGN}&{REST}")
    );
}

#[test]
fn queries_and_fragments_keep_their_bytes_and_places() {
    let t = tagger();
    for (before, after) in [
        ("https://example.com", "https://example.com?{}"),
        ("https://example.com/?", "https://example.com/?{}"),
        ("https://example.com/?#", "https://example.com/?{}#"),
        ("https://example.com/?a=1&", "https://example.com/?a=1&&{}"),
        (
            "https://example.com/?a=1&b=2#frag",
            "https://example.com/?a=1&b=2&{}#frag",
        ),
        (
            "https://example.com/a?b?c=d",
            "https://example.com/a?b?c=d&{}",
        ),
        (
            "https://example.com/#/route?inside=fragment",
            "https://example.com/?{}#/route?inside=fragment",
        ),
        (
            "https://example.com:8443/a;b=c/?q=1;r=2",
            "https://example.com:8443/a;b=c/?q=1;r=2&{}",
        ),
        (
            "https://例子.测试/路?键=值",
            "https://例子.测试/路?键=值&{}",
        ),
        (
            "HTTP://Example.COM/%e8%B7%AF",
            "HTTP://Example.COM/%e8%B7%AF?{}",
        ),
        (
            "https://[2001:db8::1]:8080/x?y=%4",
            "https://[2001:db8::1]:8080/x?y=%4&{}",
        ),
        ("https://no such host/x", "https://no such host/x?{}"),
    ] {
        assert_eq!(
            t.with_parameters(before),
            after.replace("{}", &format!("{CAMPAIGN}&{REST}"))
        );
    }
}

#[test]
fn what_is_there_is_neither_doubled_nor_overwritten() {
    let t = tagger();
    for present in [
        "utm_campaign=mine",
        "UTM_Campaign=mine",
        "utm%5Fcampaign=mine",
        "utm_campaign",
        "a=1&utm_campaign=",
    ] {
        let before = format!("https://example.com/?{present}");
        assert_eq!(t.with_parameters(&before), format!("{before}&{REST}"));
    }
    let all = "https://example.com/?utm_campaign=old%20one&utm_medium=social&utm_source=x#top";
    assert_eq!(t.with_parameters(all), all);
    // Not a parameter of that name: within a value, or a longer or shorter name.
    for other in [
        "q=utm_source%3Dx",
        "xutm_source=1",
        "utm_sourc=1",
        "utm_source2=1",
        "%zz=utm_source",
    ] {
        assert!(
            t.with_parameters(&format!("https://example.com/?{other}"))
                .ends_with(REST)
        );
    }
}

#[test]
fn other_schemes_places_and_our_own_pages_stay_untouched() {
    let t = tagger();
    for url in [
        "mailto:editor@letters.example?subject=Hello%20there",
        "tel:+15551234567",
        "#section-2",
        "/about",
        "about.html?x=1",
        "//example.com/x",
        "ftp://example.com/",
        "https",
        "",
        "https://letters.example.org",
        "https://letters.example.org/subscribe?list=weekly",
        "HTTPS://LETTERS.example.org:443/#x",
    ] {
        assert_eq!(t.with_parameters(url), url);
    }
    for foreign in [
        "https://letters.example.org.evil.example/",
        "https://letters.example.org:8443/",
        "http://letters.example.org/",
    ] {
        assert_ne!(t.with_parameters(foreign), foreign);
    }
    let below = Tagger::new(&utm("x"), &FACTS, Some("https://example.org/letters/"));
    assert_eq!(
        below.with_parameters("https://example.org/letters/subscribe"),
        "https://example.org/letters/subscribe"
    );
    assert_ne!(
        below.with_parameters("https://example.org/letters-2"),
        "https://example.org/letters-2"
    );
}

#[test]
fn domains_are_allowed_and_denied_with_what_is_below_them() {
    let only = Tagger::new(
        &Utm {
            only_domains: vec!["Example.com".into(), "例子.测试".into()],
            ..utm("x")
        },
        &FACTS,
        None,
    );
    for yes in [
        "https://example.com/",
        "https://EXAMPLE.com./",
        "https://a.b.example.com/",
        "https://xn--fsqu00a.xn--0zwm56d/",
    ] {
        assert_ne!(only.with_parameters(yes), yes);
    }
    for no in [
        "https://notexample.com/",
        "https://example.com.evil.example/",
        "https://no such host/",
    ] {
        assert_eq!(only.with_parameters(no), no);
    }
    let never = Tagger::new(
        &Utm {
            never_domains: vec!["*.example.com".into(), "192.0.2.7".into()],
            ..utm("x")
        },
        &FACTS,
        None,
    );
    for no in [
        "https://example.com/",
        "https://a.example.com/",
        "http://192.0.2.7/x",
    ] {
        assert_eq!(never.with_parameters(no), no);
    }
    assert_ne!(
        never.with_parameters("https://example.org/"),
        "https://example.org/"
    );
}

#[test]
fn values_are_templates_and_empty_ones_are_left_out() {
    let value = |campaign: &str, facts: &Facts| {
        let tagged = Tagger::new(&utm(campaign), facts, None)
            .with_parameters("https://e.example/")
            .into_owned();
        tagged
            .split("utm_campaign=")
            .nth(1)
            .map(|rest| rest.split('&').next().unwrap().to_owned())
    };
    assert_eq!(
        value("{slug}-{number} {date}{{list}", &FACTS).unwrap(),
        "022-22%202021-06-07%7BAkira%27s%20Machine%20Learning%20News"
    );
    assert_eq!(
        value("{nmber} 你", &FACTS).unwrap(),
        "%7Bnmber%7D%20%E4%BD%A0"
    );
    assert_eq!(
        value(
            "{list}",
            &Facts {
                list_name: "{slug}",
                ..FACTS
            }
        )
        .unwrap(),
        "%7Bslug%7D"
    );
    assert_eq!(
        value(
            "{list}",
            &Facts {
                campaign: Some("spring & {number}"),
                ..FACTS
            }
        )
        .unwrap(),
        "spring%20%26%2022"
    );
    assert_eq!(
        value(
            " {number} ",
            &Facts {
                number: None,
                ..FACTS
            }
        ),
        None
    );
}

/// Addresses made of pieces that are easy to get wrong.
fn addresses() -> impl Strategy<Value = String> {
    let part = "([a-zA-Z0-9;:@!$'()*+,=/?&%~._|{}\\[\\]\"<>^` -]|%[0-9A-Fa-f]{2}|utm_source=|UTM_medium=|utm%5Fcampaign=|[路键é😀]){0,12}";
    let host = "(example\\.com|EXAMPLE\\.org\\.|例子\\.测试|xn--fsqu00a\\.xn--0zwm56d|\\[2001:db8::1\\]|192\\.0\\.2\\.1|[a-z ]{1,6})(:[0-9]{1,5})?";
    (
        prop_oneof!["https://", "http://", "HTTPS://"],
        host,
        part,
        proptest::option::of(part),
        proptest::option::of(part),
    )
        .prop_map(|(scheme, host, path, query, fragment)| {
            let path = path.replace('?', "");
            let query = query.map(|q| format!("?{q}")).unwrap_or_default();
            let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
            format!("{scheme}{host}/{path}{query}{fragment}")
        })
}

fn cut(url: &str) -> (&str, Vec<&str>, &str) {
    let (rest, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let (head, query) = rest.split_once('?').unwrap_or((rest, ""));
    (head, query.split('&').collect(), fragment)
}

#[test]
fn signed_links_are_left_alone() {
    let t = tagger();
    for url in [
        "https://b.s3.amazonaws.com/r.pdf?X-Amz-Expires=60&X-Amz-Signature=0f0e#page=2",
        "https://a.blob.core.windows.net/c/f.pdf?sp=r&sig=abc%3D",
        "https://app.example/invite?user=7&signature=deadbeef",
    ] {
        assert_eq!(t.with_parameters(url), url);
    }
}

proptest! {
    /// Taking away what was added gives the very bytes that came in.
    #[test]
    fn nothing_but_missing_parameters_is_added(url in addresses()) {
        let tagged = tagger().with_parameters(&url).into_owned();
        let ((head, had, fragment), (head2, has, fragment2)) = (cut(&url), cut(&tagged));
        prop_assert_eq!((head, fragment), (head2, fragment2));
        let added = &has[if had == [""] { 0 } else { had.len() }..];
        prop_assert_eq!(&has[..has.len() - added.len()], if had == [""] { &[][..] } else { &had[..] });
        let plain = |pair: &str| pair.split('=').next().unwrap().to_lowercase().replace("%5f", "_");
        for name in ["utm_campaign", "utm_medium", "utm_source"] {
            let before = had.iter().filter(|p| plain(p) == name).count();
            let now = added.iter().filter(|p| p.starts_with(&format!("{name}="))).count();
            prop_assert_eq!(now, usize::from(before == 0), "{} in {}", name, tagged);
        }
        prop_assert!(added.len() <= 3);
    }

    #[test]
    fn tagging_twice_is_tagging_once(url in addresses()) {
        let t = tagger();
        let once = t.with_parameters(&url).into_owned();
        prop_assert_eq!(t.with_parameters(&once), once.as_str());
    }

    /// Any text at all: no panic, and what is not http(s) comes back as it is.
    #[test]
    fn any_text_is_taken(text in "\\PC{0,40}") {
        let tagged = tagger().with_parameters(&text).into_owned();
        let lower = text.to_ascii_lowercase();
        prop_assert!(tagged == text || lower.starts_with("http://") || lower.starts_with("https://"));
    }

    /// A browser reads back from the query what the settings say.
    #[test]
    fn values_survive_a_parser(campaign in "[^{}\\s]\\PC{0,20}[^{}\\s]") {
        prop_assume!(!campaign.contains(['{', '}']));
        let tagged = Tagger::new(&utm(&campaign), &FACTS, None).with_parameters("https://e.example/?a=b#c").into_owned();
        let url = Url::parse(&tagged).unwrap();
        let value = url.query_pairs().find(|(k, _)| k == "utm_campaign").unwrap().1.into_owned();
        prop_assert_eq!(value, campaign);
    }
}
