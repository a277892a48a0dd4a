//! TLS from the first byte.

use crate::newsletter::{Newsletter, until};
use crate::postfix::Postfix;

#[test]
fn a_relay_with_implicit_tls_takes_the_mail() {
    let postfix = Postfix::start("localhost");
    let mut newsletter = Newsletter::new(&postfix.relay("implicit"));
    newsletter.people(3);
    newsletter.serve();
    let sent = newsletter.run(&["send", "issues/001.md", "--wait", "--yes"]);
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    until("Postfix to deliver", || postfix.mails().len() == 3);
    assert_eq!(newsletter.stop(), 0);
}
