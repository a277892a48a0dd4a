use std::path::Path;
use std::time::Duration;

use super::load::{WITHOUT_A_FILE, read};
use super::*;
use crate::model::Severity;

const GOOD: &str = "[web]\npublic_url = \"https://l.proof.test/\"\n[relay.main]\nhost = \"smtp.proof.test\"\n\
                    [list.weekly]\nname = \"The Weekly Proof\"\nfrom = \"Editor <ed@proof.test>\"\n";

fn examined(text: &str) -> Examined {
    read(text, "l.toml", Path::new("/letter"), [])
}

fn errors(text: &str) -> Vec<String> {
    let findings = examined(text).findings;
    findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| format!("{} {}", f.place(), f.message))
        .collect()
}

/// What a command that connects to relays says as well.
fn errors_to_connect(text: &str) -> Vec<String> {
    let mut examined = examined(text);
    examined.check_files();
    let findings = examined.findings;
    findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| format!("{} {}", f.place(), f.message))
        .collect()
}

#[test]
fn what_is_not_set_has_its_default() {
    let Examined {
        settings, findings, ..
    } = examined(GOOD);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(settings.listen, "127.0.0.1:8080");
    assert_eq!(settings.public_url.as_deref(), Some("https://l.proof.test"));
    assert_eq!(settings.database, Path::new("/letter/letterpress.db"));
    assert_eq!(
        (
            settings.sending.relays[0].endpoint.port,
            settings.sending.relays[0].endpoint.tls
        ),
        (587, crate::smtp::Tls::Starttls)
    );
    assert_eq!(
        settings.sending.hold_when_late,
        Duration::from_secs(6 * 3600)
    );
    let list = &settings.lists[0];
    assert_eq!(list.promise, "The Weekly Proof");
    assert_eq!(list.unsubscribe_mailto.as_str(), "ed@proof.test");
    assert_eq!(list.issues, Path::new("/letter/issues"));
    assert_eq!(
        (list.utm.source.as_str(), list.utm.campaign.as_str()),
        ("newsletter", "{list}")
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "[web]\nlisten = \"here\"\n[log]\nlevel = \"loud\"\n[relay.main]\nport = 0\ntls = \"startls\"\n\
                [sending]\nfirst_retry = \"soon\"\n[list.w]\nname = \"W\"\nfrom = \"nobody\"\nzone = \"Berlin\"\nschedule = \"weekly\"\n";
    let found = errors(text);
    for wanted in [
        "l.toml:2:1 web.listen: “here” is not a host and port",
        "l.toml:4:1 log.level: “loud” is none of",
        "l.toml:5:8 relay.main.host is not set",
        "l.toml:6:1 relay.main.port can't be 0",
        "l.toml:7:1 relay.main.tls: “startls” is none of starttls, implicit, none",
        "l.toml:9:1 sending.first_retry: “soon” is not a duration",
        "l.toml:12:1 list.w.from: “nobody”: this address has no @",
        "l.toml:13:1 list.w.zone: “Berlin” is not a time zone",
        "l.toml:14:1 list.w.schedule: “weekly” has 1 fields",
    ] {
        assert!(
            found.iter().any(|f| f.starts_with(wanted)),
            "{wanted} is not among {found:#?}"
        );
    }
    assert_eq!(found.len(), 9, "{found:#?}");
    let help = |line| {
        examined(text)
            .findings
            .iter()
            .find(|f| f.line == Some(line))
            .unwrap()
            .help
            .clone()
    };
    assert_eq!(
        help(9),
        "The first wait after a temporary refusal; the default is 5m."
    );
    assert_eq!(help(7), "Did you mean starttls?");
    assert_eq!(
        help(4),
        "The level of the log: error, warn, info, debug or trace; the default is info."
    );
}

#[test]
fn providers_hours_and_shares_are_read_and_their_errors_said_once() {
    let text = format!(
        "{GOOD}send_between = \"09:00-17:00\"\n[list.other]\nname = \"O\"\nfrom = \"o@proof.test\"\n\
         [list.free]\nname = \"F\"\nfrom = \"f@proof.test\"\nsend_between = \"always\"\n\
         [domain.\"Gmail.com\"]\nmessages_per_minute = 60\n[domain.acme]\nconnections = 2\ndomains = [\"acme.example\"]\n\
         [domain.default]\nmessages_per_connection = 9\n\
         [sending]\nwindow = \"08:00-20:00\"\nwindow_days = [\"mon\"]\npause_above_failed = 0\n"
    );
    let Examined {
        settings, findings, ..
    } = examined(&text);
    assert!(findings.is_empty(), "{findings:?}");
    let pacing = &settings.sending.pacing;
    let of = |domain: &str| pacing.domains.of(pacing.domains.providers.of(domain));
    assert_eq!(of("googlemail.com").messages_per_minute, 60);
    assert_eq!(
        (
            of("acme.example").connections,
            of("x.example").messages_per_connection
        ),
        (2, 9)
    );
    assert!(pacing.windows.contains_key("other") && !pacing.windows.contains_key("free"));
    assert_ne!(pacing.windows["weekly"], pacing.windows["other"]);
    assert_eq!(
        (pacing.pause_above.failed, pacing.pause_above.deferred),
        (0.0, 0.7)
    );

    let found = errors(&format!(
        "{GOOD}[list.w]\nname = \"W\"\nfrom = \"w@proof.test\"\n[domain.gmail]\nconnections = 1\n\
         [sending]\nwindow = \"8-20\"\nwindow_days = [\"someday\"]\npause_above_failed = 1.5\n"
    ));
    let wanted = [
        "[domain.gmail] names no domain",
        "“8-20”",
        "“someday”",
        "pause_above_failed can't be 1.5",
    ];
    assert!(
        found.len() == 4 && wanted.iter().all(|w| found.iter().any(|f| f.contains(w))),
        "{found:#?}"
    );
}

#[test]
fn sections_that_contradict_each_other_are_named_where_they_stand() {
    let found = errors(&format!(
        "{GOOD}[domain.default]\ndomains = [\"x.example\"]\n[domain.\"gmail.com\"]\nconnections = 1\n\
         [domain.\"googlemail.com\"]\nconnections = 2\n"
    ));
    assert_eq!(
        found,
        [
            "l.toml:8:9 [domain.default] can't have domains: it applies to every domain without a section of its own",
            "l.toml:12:9 [domain.\"googlemail.com\"] and [domain.\"gmail.com\"] both apply to gmail.com",
        ]
    );
}

#[test]
fn a_list_has_a_name() {
    for empty in ["", " "] {
        let found = errors(&GOOD.replace("The Weekly Proof", empty));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("l.toml:6:1 list.weekly.name: the name is empty"),
            "{found:?}"
        );
    }
}

#[test]
fn of_a_broken_file_only_the_broken_line_is_said() {
    let found = errors("[sending\nbatch_size = 1\n");
    assert!(
        found.len() == 1 && found[0].starts_with("l.toml:1:"),
        "{found:?}"
    );
}

#[test]
fn a_password_is_read_from_its_file_and_others_should_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "open sesame \r\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let text = format!(
        "{GOOD}[relay.other]\nhost = \"h\"\nusername = \"u\"\npassword_file = \"secret\"\n"
    );
    let mut examined = read(&text, "l.toml", folder.path(), []);
    assert!(examined.findings.is_empty(), "{:?}", examined.findings);
    examined.check_files();
    let Examined {
        settings, findings, ..
    } = examined;
    let password = |settings: &Settings| {
        let login = settings.sending.relays[1].endpoint.login.clone();
        login.map(|login| login.password.read().unwrap())
    };
    assert_eq!(password(&settings).as_deref(), Some("open sesame "));
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].code, findings[0].line),
        ("password-readable", Some(11))
    );

    let from_outside = [(
        "LETTERPRESS__RELAY__OTHER__PASSWORD".to_owned(),
        "else".to_owned(),
    )];
    let Examined { settings, .. } = read(&text, "l.toml", folder.path(), from_outside);
    assert_eq!(password(&settings).as_deref(), Some("else"));
}

#[test]
fn a_login_needs_both_halves() {
    let half = GOOD.replace("[list", "username = \"u\"\n[list");
    assert_eq!(
        errors(&half),
        ["l.toml:5:1 relay.main has a username but no password"]
    );
    let gone = GOOD.replace("[list", "username = \"u\"\npassword_file = \"none\"\n[list");
    assert!(errors(&gone).is_empty(), "only who connects needs it");
    let found = errors_to_connect(&gone);
    assert!(
        found.len() == 1 && found[0].contains("/letter/none can't be read"),
        "{found:?}"
    );
}

#[test]
fn certificates_that_are_named_must_be_there() {
    let text = GOOD.replace("[list", "ca_file = \"ca.pem\"\n[list");
    assert!(errors(&text).is_empty(), "only who connects needs them");
    assert_eq!(
        errors_to_connect(&text),
        ["l.toml:5:1 relay.main.ca_file: /letter/ca.pem can't be used: no such file or directory"]
    );
}

#[test]
fn ports_that_speak_tls_otherwise_are_warned_of() {
    let codes = |port: u16, tls: &str| {
        let text = GOOD.replace("[list", &format!("port = {port}\ntls = \"{tls}\"\n[list"));
        let found = examined(&text).findings;
        found
            .iter()
            .map(|f| format!("{} {} {}", f.place(), f.code, f.message))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        codes(465, "starttls"),
        [
            "l.toml:6:1 relay-port relay.main: tls is starttls, but port 465 usually speaks TLS from the first byte"
        ]
    );
    assert_eq!(
        codes(587, "implicit"),
        [
            "l.toml:6:1 relay-port relay.main: tls is implicit, but port 587 usually begins in clear text"
        ]
    );
    for (port, tls) in [
        (2465, "starttls"),
        (25, "implicit"),
        (2525, "implicit"),
        (2587, "implicit"),
    ] {
        assert_eq!(codes(port, tls).len(), 1, "{port} {tls}");
    }
    for (port, tls) in [
        (465, "implicit"),
        (587, "starttls"),
        (2525, "starttls"),
        (9465, "starttls"),
    ] {
        assert!(codes(port, tls).is_empty(), "{port} {tls}");
    }
    let only_port = GOOD.replace("[list", "port = 465\n[list");
    assert_eq!(examined(&only_port).findings[0].place(), "l.toml:5:1");
}

#[test]
fn placeholders_are_warned_of_where_they_stand() {
    let text = GOOD.replace("proof.test", "example.org") + "reply_to = \"me@letters.example\"\n";
    let found = examined(&text).findings;
    let told: Vec<String> = found
        .iter()
        .map(|f| format!("{} {} {}", f.place(), f.code, f.message))
        .collect();
    assert_eq!(
        told,
        [
            "l.toml:2:1 placeholder web.public_url: l.example.org is a placeholder",
            "l.toml:4:1 placeholder relay.main.host: smtp.example.org is a placeholder",
            "l.toml:7:1 placeholder list.weekly.from: ed@example.org is a placeholder",
            "l.toml:8:1 placeholder list.weekly.reply_to: me@letters.example is a placeholder",
        ]
    );
    assert!(
        examined(&GOOD.replace("proof.test", "counterexample.org"))
            .findings
            .is_empty()
    );
}

#[test]
fn what_a_relay_and_a_list_add_to_mails_is_read() {
    let text = GOOD.replace(
        "[list",
        "ehlo_name = \"mail.proof.test\"\ndkim = \"rsa\"\ndkim_headers_not = [\"message-id\", \"Date\"]\n[list",
    ) + "reply_to = \"Ed <answers@proof.test>\"\n[list.weekly.headers]\nX-PM-Message-Stream = \"broadcast\"\n";
    let Examined {
        settings, findings, ..
    } = examined(&text);
    assert!(findings.is_empty(), "{findings:?}");
    let relay = &settings.sending.relays[0];
    assert_eq!(relay.endpoint.ehlo_name.as_deref(), Some("mail.proof.test"));
    assert_eq!(relay.dkim.algorithms, [crate::delivery::Algorithm::Rsa]);
    assert_eq!(relay.dkim.headers_not, ["message-id", "Date"]);
    let list = &settings.lists[0];
    assert_eq!(
        list.reply_to.as_ref().unwrap().address.as_str(),
        "answers@proof.test"
    );
    assert_eq!(
        list.headers,
        [("X-PM-Message-Stream".to_owned(), "broadcast".to_owned())]
    );
    let shown = show(&examined(&text));
    let header = shown
        .iter()
        .find(|one| one.key == "list.weekly.headers.X-PM-Message-Stream");
    assert_eq!(header.unwrap().value.as_deref(), Some("\"broadcast\""));

    let found = errors(
        &(GOOD.replace(
            "[list",
            "ehlo_name = \"laptop\"\ndkim = \"dsa\"\ndkim_headers_not = [\"From\", \"X-A\"]\n[list",
        ) + "[list.weekly.headers]\nSubject = \"x\"\nX-A = \"a\\r\\nBcc: b@c.test\"\nx-a = \"b\"\nX-B = 5\n"),
    );
    for wanted in [
        "l.toml:5:1 relay.main.ehlo_name: “laptop” is not a full name",
        "l.toml:6:1 relay.main.dkim: “dsa” is none of both, rsa, ed25519, none",
        "l.toml:7:1 relay.main.dkim_headers_not: From can't be left out",
        "l.toml:7:1 relay.main.dkim_headers_not: “X-A” is not among the headers",
        "l.toml:12:1 list.weekly.headers.Subject: Subject can't be set",
        "l.toml:13:1 list.weekly.headers.X-A: the value has a line break",
        "l.toml:15:1 list.weekly.headers.X-B can't be a whole number",
    ] {
        assert!(
            found.iter().any(|f| f.starts_with(wanted)),
            "{wanted} is not among {found:#?}"
        );
    }
    let twice = errors(&format!(
        "{GOOD}[list.weekly.headers]\nX-A = \"a\"\nx-a = \"b\"\n"
    ));
    assert_eq!(
        twice,
        ["l.toml:10:1 list.weekly.headers.x-a: X-A is the same header"]
    );
}

#[test]
fn the_sample_is_sound_and_holds_every_setting_with_its_default() {
    let findings = examined(SAMPLE).findings;
    assert_eq!(
        findings.iter().map(|f| f.code).collect::<Vec<_>>(),
        ["public-url-unset", "placeholder", "placeholder"]
    );

    // With every `# key = …` taken for a setting, all are known, and none is missing.
    let loud: String = SAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' ')) =>
            {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let (values, findings) = values::read(&loud, "l.toml");
    assert!(findings.is_empty(), "{findings:#?}");
    for key in keys::KEYS {
        let name = match key.path.split('.').next() {
            Some("relay") => "main",
            Some("domain") => "default",
            _ => "weekly",
        };
        let path: Vec<String> = key
            .path
            .replacen('*', name, 1)
            .replace('*', "X-PM-Message-Stream")
            .split('.')
            .map(str::to_owned)
            .collect();
        let Some((value, _)) = values.set.get(&path) else {
            panic!("{} is not in the sample", key.path)
        };
        // Facts that every letter has of its own can't show their default.
        if let keys::Fallback::Is(text) = key.fallback
            && !matches!(key.path, "list.*.zone")
        {
            assert_eq!(
                Some(value),
                environment::read(key.kind, text).as_ref(),
                "{}",
                key.path
            );
        }
    }
}

#[test]
fn without_a_file_the_defaults_are_sound() {
    assert!(errors(WITHOUT_A_FILE).is_empty());
}

#[test]
fn loopback_is_told_from_the_world() {
    for url in [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:1/x",
    ] {
        assert!(is_loopback(url), "{url}");
    }
    assert!(!is_loopback("https://letters.example.org") && !is_loopback("http://10.0.0.1"));
}

#[test]
fn what_would_surprise_is_warned_of_where_it_stands() {
    let text = GOOD.replace(
        "[list",
        "tls = \"none\"\nusername = \"u\"\npassword = \"p\"\n[list",
    ) + "[list.weekly.utm]\nsource = \"{list}\"\ncampaign = \"{list}-{year}\"\n";
    let findings = examined(&text).findings;
    let told: Vec<_> = findings
        .iter()
        .map(|f| format!("{} {} {}", f.place(), f.code, f.message))
        .collect();
    assert_eq!(
        told,
        [
            "l.toml:5:1 relay-clear relay.main.tls is none: mails and its password go to smtp.proof.test unencrypted",
            "l.toml:13:1 utm-fact list.weekly.utm.campaign: {year} is not a placeholder and stays as it is",
        ]
    );
    for near in ["127.0.0.1", "localhost", "::1"] {
        let text = GOOD
            .replace("smtp.proof.test", near)
            .replace("[list", "tls = \"none\"\n[list");
        assert!(examined(&text).findings.is_empty(), "{near}");
    }
}

#[test]
fn trusting_the_whole_internet_is_warned_of() {
    let text = GOOD.replace(
        "[web]\n",
        "[web]\ntrusted_proxies = [\"127.0.0.1\", \"0.0.0.0/0\", \"10.0.0.0/8\", \"::/0\"]\n",
    );
    let findings = examined(&text).findings;
    let said: Vec<_> = findings.iter().map(|f| (f.code, f.line)).collect();
    assert_eq!(said, [("proxies-wide", Some(2)), ("proxies-wide", Some(2))]);
    assert!(findings[0].message.contains("0.0.0.0/0"), "{findings:?}");
}

#[test]
fn nobody_is_given_up_before_a_second_try() {
    let found = errors(&format!(
        "{GOOD}[sending]\nfirst_retry = \"1h\"\ngive_up_after = \"5m\"\n"
    ));
    assert_eq!(
        found,
        ["l.toml:10:1 sending.give_up_after is shorter than first_retry"]
    );
}
