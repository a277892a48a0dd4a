use super::*;

fn answer(code: u16, text: &str) -> Answer {
    Answer {
        code,
        lines: vec![text.into()],
    }
}

#[test]
fn each_refusal_is_somebodys_matter() {
    use Verdict::*;
    for (step, code, verdict) in [
        (Step::Greeting, 220, Good),
        (Step::Greeting, 421, Rests),
        (Step::Greeting, 554, Ours),
        (Step::Ehlo, 250, Good),
        (Step::Ehlo, 421, Rests),
        (Step::Ehlo, 502, Ours),
        (Step::Starttls, 454, Rests),
        (Step::Auth, 235, Good),
        (Step::Auth, 334, Good),
        (Step::Auth, 454, Rests),
        (Step::Auth, 535, Ours),
        (Step::Mail, 250, Good),
        (Step::Mail, 451, Rests),
        (Step::Mail, 550, Ours),
        (Step::Mail, 552, Ours),
        (Step::Rcpt, 250, Good),
        (Step::Rcpt, 251, Good),
        (Step::Rcpt, 421, Postponed),
        (Step::Rcpt, 450, Postponed),
        (Step::Rcpt, 452, Postponed),
        (Step::Rcpt, 530, Ours),
        (Step::Rcpt, 550, Refused),
        (Step::Rcpt, 599, Refused),
        (Step::Data, 354, Good),
        (Step::Data, 250, Nonsense),
        (Step::Data, 451, Postponed),
        (Step::Data, 554, Refused),
        (Step::Content, 250, Good),
        (Step::Content, 299, Good),
        (Step::Content, 354, Nonsense),
        (Step::Content, 421, Postponed),
        (Step::Content, 452, Postponed),
        (Step::Content, 552, Refused),
        (Step::Mail, 354, Nonsense),
    ] {
        assert_eq!(
            judge(step, &answer(code, "x")),
            verdict,
            "{code} after {step:?}"
        );
    }
}

#[test]
fn what_is_ours_to_mend_is_named() {
    for (step, code, text, wanted) in [
        (
            Step::Mail,
            552,
            "message size exceeds fixed maximum message size",
            "shorten the issue",
        ),
        (
            Step::Mail,
            552,
            "5.3.4 Message size exceeds fixed limit",
            "shorten the issue",
        ),
        (Step::Mail, 554, "5.3.4 too big", "shorten the issue"),
        (Step::Mail, 552, "5.2.2 over quota", "no room"),
        (Step::Mail, 550, "5.1.8 bad sender", "check from"),
        (
            Step::Mail,
            530,
            "5.7.0 Must issue a STARTTLS command first",
            "set its tls",
        ),
        (Step::Auth, 530, "5.7.10 Encryption needed", "set its tls"),
        (
            Step::Auth,
            538,
            "5.7.11 required for requested authentication mechanism",
            "set its tls",
        ),
        (
            Step::Mail,
            530,
            "5.7.0 Authentication required",
            "check username and password",
        ),
        (Step::Auth, 535, "5.7.8 no", "check username and password"),
        (Step::Starttls, 501, "no", "refuses TLS"),
    ] {
        let answer = answer(code, text);
        assert_eq!(judge(step, &answer), Verdict::Ours, "{code} {text}");
        let said = remedy(step, &answer);
        assert!(said.contains(wanted), "{code} {text}: {said}");
    }
}

#[test]
fn enhanced_codes_agree_with_the_reply_or_are_none() {
    assert_eq!(
        answer(550, "5.1.1 no such person").enhanced(),
        Some((5, 1, 1))
    );
    assert_eq!(answer(550, "4.1.1 no such person").enhanced(), None);
    assert_eq!(answer(550, "no such person 5.1.1").enhanced(), None);
    assert_eq!(answer(550, "5.1.1.1 x").enhanced(), None);
    assert_eq!(answer(550, "5.1 x").enhanced(), None);
    assert_eq!(answer(550, "5.1.1234 x").enhanced(), None);
    assert_eq!(answer(550, "").enhanced(), None);
}

#[test]
fn a_reply_is_one_line_with_its_codes() {
    let grey = Answer {
        code: 450,
        lines: vec!["4.2.0 grey".into(), "4.2.0 listed".into()],
    };
    assert_eq!(grey.text(), "450 4.2.0 grey listed");
    assert_eq!(answer(250, "").text(), "250");
    let long = Answer {
        code: 550,
        lines: vec!["长".repeat(5000)],
    };
    assert_eq!(long.text().chars().count(), TEXT_MAX + 1);
}

#[test]
fn complaints_about_speed_are_told_from_other_delays() {
    for quick in [
        "421 4.7.0 Too many connections from your host",
        "421 4.7.28 Our system has detected an unusual rate of unsolicited mail",
        "450 4.7.1 Error: too many messages, slow down",
        "451 4.3.2 Please try again later",
        "452 4.4.5 congestion",
        "451 Throttling failure: Maximum sending rate exceeded",
        "421 RP-001 The mail server IP connecting has exceeded the rate limit allowed",
        "421 4.7.0 [TSS04] temporarily deferred due to unexpected volume",
    ] {
        assert!(is_too_quick(quick[..3].parse().unwrap(), quick), "{quick}");
    }
    for other in [
        "450 4.7.1 Greylisted, too many unknown senders",
        "450 4.2.1 The user is receiving mail too quickly",
        "451 4.7.1 try again in five minutes",
        "450 4.1.8 sender's domain not found",
        "452 4.2.2 mailbox full",
        "550 5.7.1 too many messages",
        "421 closing",
        "450",
    ] {
        assert!(!is_too_quick(other[..3].parse().unwrap(), other), "{other}");
    }
}

#[test]
fn lines_are_read_by_the_letter() {
    assert_eq!(
        read_line(b"250 ok"),
        Some(Line {
            code: 250,
            more: false,
            text: "ok".into()
        })
    );
    assert_eq!(
        read_line(b"250-ok"),
        Some(Line {
            code: 250,
            more: true,
            text: "ok".into()
        })
    );
    assert_eq!(
        read_line(b"250"),
        Some(Line {
            code: 250,
            more: false,
            text: String::new()
        })
    );
    for odd in [
        &b"garbage answer"[..],
        b"",
        b"25",
        b"2500",
        b"150 x",
        b"650 x",
        b"25a x",
        b"250_x",
    ] {
        assert_eq!(read_line(odd), None, "{odd:?}");
    }
    // Latin-1, and what a terminal would obey.
    let line = read_line(b"550 bo\xeete pleine\x1b[31m").unwrap();
    assert_eq!(line.text, "bo\u{fffd}te pleine [31m");
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(0_u8.., 0..300)) {
        if let Some(line) = read_line(&bytes) {
            proptest::prop_assert!((200..600).contains(&line.code));
            proptest::prop_assert!(!line.text.chars().any(char::is_control));
        }
    }
}
