//! A wrong password pauses the issue with the server's words; nobody fails for it, and the right one goes on.

use crate::newsletter::{Newsletter, until};
use crate::postfix::{PASSWORD, Postfix};

#[test]
fn a_wrong_password_pauses_and_the_right_one_goes_on() {
    let postfix = Postfix::start("localhost");
    let mut newsletter = Newsletter::new(&postfix.relay("starttls"));
    newsletter.edit(PASSWORD, "wrong");
    newsletter.people(10);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("the issue to pause", || {
        newsletter.totals()["state"] == "paused"
    });
    let totals = newsletter.totals();
    assert_eq!(
        (totals["failed"].as_u64(), totals["queued"].as_u64()),
        (Some(0), Some(10)),
        "{totals}"
    );
    assert!(
        totals["reason"].as_str().unwrap().contains("535"),
        "{totals}"
    );
    assert_eq!(newsletter.stop(), 0);

    newsletter.edit("wrong", PASSWORD);
    newsletter.serve();
    newsletter.ok(&["resume", "1"]);
    until("the rest to be sent", || newsletter.totals()["sent"] == 10);
    assert_eq!(newsletter.stop(), 0);
}
