//! Mail goes over STARTTLS with a login, and arrives whole. The server takes nothing in clear text.

use crate::newsletter::{Newsletter, until};
use crate::postfix::{Postfix, USER};
use crate::received;

#[test]
fn a_relay_with_starttls_and_login_takes_every_mail() {
    let postfix = Postfix::start("localhost");
    let mut newsletter = Newsletter::new(&postfix.relay("starttls"));
    let mut readers = newsletter.people(25);
    newsletter.serve();
    let sent = newsletter.run(&["send", "issues/001.md", "--wait", "--yes"]);
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    until("Postfix to deliver", || {
        postfix.mails().len() >= readers.len()
    });
    let mails = postfix.mails();
    let mut got: Vec<String> = mails
        .iter()
        .map(|raw| {
            let mail = received::parse(raw);
            received::assert_well_formed(&mail);
            received::to(&mail)
        })
        .collect();
    got.sort();
    readers.sort();
    assert_eq!(got, readers);
    assert!(
        postfix.log().contains(&format!("sasl_username={USER}")),
        "the login was used: {}",
        postfix.log()
    );
    assert_eq!(newsletter.stop(), 0);
}
