//! A wrong password pauses the issue with the server's words; nobody fails for it, and the right one goes on.

use crate::letter::{Letter, until};
use crate::postfix::{PASSWORD, Postfix};

#[test]
fn a_wrong_password_pauses_and_the_right_one_goes_on() {
    let postfix = Postfix::start("localhost");
    let mut letter = Letter::new(&postfix.relay("starttls"));
    letter.edit(PASSWORD, "wrong");
    letter.people(10);
    letter.serve();
    letter.ok(&["send", "issues/001.md", "--yes"]);
    until("the issue to pause", || {
        letter.totals()["state"] == "paused"
    });
    let totals = letter.totals();
    assert_eq!(
        (totals["failed"].as_u64(), totals["queued"].as_u64()),
        (Some(0), Some(10)),
        "{totals}"
    );
    assert!(
        totals["reason"].as_str().unwrap().contains("535"),
        "{totals}"
    );
    assert_eq!(letter.stop(), 0);

    letter.edit("wrong", PASSWORD);
    letter.serve();
    letter.ok(&["resume", "1"]);
    until("the rest to be sent", || letter.totals()["sent"] == 10);
    assert_eq!(letter.stop(), 0);
}
