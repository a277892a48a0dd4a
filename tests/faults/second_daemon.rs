//! A second daemon on a database, while the first one sends: it refuses, names the first, and changes nothing.

use std::time::Duration;

use crate::effort::is_full;
use crate::newsletter::until;
use crate::server::{At, Do};
use crate::stage::{Stage, When};

#[test]
fn a_second_daemon_sends_nothing_beside_the_first() {
    let mut stage = Stage::new(60);
    stage.server.script(|at, _, _| {
        if at == At::Dot {
            Do::Wait(Duration::from_millis(20))
        } else {
            Do::Usual
        }
    });
    stage.start(None);
    for mails in [1, 10, 20, 30, 40] {
        until("some mails", || stage.server.mails().len() >= mails);
        // On a port of its own, so that nothing but the database is in its way.
        let second = stage.newsletter.run_with(
            &["serve"],
            &[("LETTERPRESS__WEB__LISTEN", "127.0.0.1:0".into())],
        );
        assert_eq!(second.code, 2, "{}{}", second.out, second.err);
        let first = format!("pid {}", stage.newsletter.pid());
        assert!(
            second.err.contains(&first),
            "{first} is not in: {}",
            second.err
        );
    }
    until("the issue to be done", || {
        stage.newsletter.totals()["state"] == "done"
    });
    assert_eq!(stage.newsletter.stop(), 0);
    stage.compare(When::AtTheEnd, 0, "beside a second daemon");
}

#[test]
fn of_two_daemons_that_start_at_once_one_sends() {
    let mut stage = Stage::new(8);
    for round in 0..if is_full() { 50 } else { 5 } {
        let context = format!("two at once, round {round}");
        stage.reset();
        let listen = [("LETTERPRESS__WEB__LISTEN", "127.0.0.1:0".to_owned())];
        stage.newsletter.start(&listen);
        let mut other = stage.newsletter.spawn(&listen);
        let mut ended = [None, None];
        until("one of them to refuse", || {
            ended = [stage.newsletter.ended(), other.try_wait().unwrap()];
            ended != [None, None]
        });
        let refused = ended
            .iter()
            .flatten()
            .all(|status| status.code() == Some(2));
        assert!(refused && ended.contains(&None), "{context}: {ended:?}");
        until("the issue to be done", || {
            stage.newsletter.totals()["state"] == "done"
        });
        if ended[0].is_some() {
            other.kill().unwrap();
        } else {
            stage.newsletter.kill();
        }
        other.wait().unwrap();
        stage.nobody_is_connected();
        stage.compare(When::AtTheEnd, 0, &context);
    }
}
