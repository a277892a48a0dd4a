//! TLS from the first byte.

use crate::letter::{Letter, until};
use crate::postfix::Postfix;

#[test]
fn a_relay_with_implicit_tls_takes_the_mail() {
    let postfix = Postfix::start("localhost");
    let mut letter = Letter::new(&postfix.relay("implicit"));
    letter.people(3);
    letter.serve();
    let sent = letter.run(&["send", "issues/001.md", "--wait", "--yes"]);
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    until("Postfix to deliver", || postfix.mails().len() == 3);
    assert_eq!(letter.stop(), 0);
}
