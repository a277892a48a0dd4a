//! A relay that is not who it says it is gets neither password nor mail, and nobody fails for it.

use crate::newsletter::{Newsletter, until};
use crate::postfix::Postfix;

/// Everybody waits, and the log says what is wrong with the certificate.
fn nothing_leaves(relay: &str, postfix: &Postfix, why: &str) {
    let mut newsletter = Newsletter::new(relay);
    newsletter.people(5);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    let said = |word: &str| newsletter.log().to_lowercase().contains(word);
    until("the log to say what is wrong", || {
        said("certificate") && said(why)
    });
    let totals = newsletter.totals();
    assert_eq!(
        totals["queued"].as_u64().unwrap() + totals["deferred"].as_u64().unwrap(),
        5,
        "{totals}"
    );
    assert!(
        !postfix.log().contains("auth="),
        "no login was tried: {}",
        postfix.log()
    );
    assert!(postfix.mails().is_empty());
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_certificate_of_an_unknown_root_is_refused() {
    let postfix = Postfix::start("localhost");
    let relay = postfix.relay("starttls");
    let without_root: Vec<&str> = relay
        .lines()
        .filter(|line| !line.starts_with("ca_file"))
        .collect();
    nothing_leaves(&without_root.join("\n"), &postfix, "authority");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let postfix = Postfix::start("somebody.else.test");
    nothing_leaves(&postfix.relay("implicit"), &postfix, "somebody.else.test");
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let postfix = Postfix::start_expired("localhost");
    nothing_leaves(&postfix.relay("starttls"), &postfix, "expired");
}
