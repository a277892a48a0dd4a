//! SIGKILL at each step of a send before which confirmation mails go: they have the same states, and nobody gets one
//! twice or never.

use crate::breakpoints::{break_at_each, generate};
use crate::newsletter::until;
use crate::server::{At, refuse};
use crate::shim::Fault;
use crate::stage::{CONNECTIONS, Ended, Stage};
use crate::web;

const READERS: usize = 4;
const NEW: [&str; 3] = ["ann@new.example", "bo@new.example", "cy@new.example"];

/// An issue and three confirmations wait, since the relay took nobody.
fn with_sign_ups() -> Stage {
    let mut stage = Stage::new(READERS);
    stage.server.script(refuse(At::Connect, "421 4.3.2 busy"));
    stage.newsletter.serve();
    for who in NEW {
        let form = format!("email={who}&name=New&list=weekly");
        assert_eq!(
            web::post(stage.newsletter.web, "/subscribe", &form)
                .unwrap()
                .status,
            202
        );
    }
    until("the audience", || {
        stage.newsletter.totals()["planned"] == READERS
    });
    assert_eq!(stage.newsletter.stop(), 0);
    stage.keep();
    stage
}

fn state(stage: &Stage, who: &str) -> String {
    let shown = stage
        .newsletter
        .ok(&["subscribers", "show", who, "--json"])
        .json();
    let mails = shown[0]["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 1, "{who}: {mails:?}");
    mails[0]["state"].as_str().unwrap().to_owned()
}

/// Server and database agree about each of the three; whoever waits has got nothing.
fn compare(stage: &Stage, is_over: bool, context: &str) {
    let mut unknown = 0;
    for who in NEW {
        let (state, got) = (state(stage, who), stage.server.count(who));
        let may = match state.as_str() {
            "sent" => got == 1,
            "sending" | "uncertain" => {
                unknown += 1;
                got <= 1
            }
            "queued" | "deferred" => got == 0 && !is_over,
            _ => false,
        };
        assert!(
            may,
            "{context}: the confirmation of {who} is {state} and came {got} times"
        );
    }
    assert!(unknown <= CONNECTIONS, "{context}: {unknown} uncertain");
}

#[test]
fn a_kill_at_any_step_loses_and_doubles_no_confirmation() {
    let mut stage = with_sign_ups();
    let points = generate(&mut stage, "relay");
    break_at_each(
        &mut stage,
        &points,
        |after| Fault::Kill { after },
        |stage, ended, context| {
            if ended == Ended::Killed {
                compare(stage, false, context);
                stage.newsletter.serve();
                until("each confirmation to have gone", || {
                    NEW.iter()
                        .all(|who| matches!(state(stage, who).as_str(), "sent" | "uncertain"))
                });
                assert_eq!(stage.newsletter.stop(), 0);
                stage.complete();
            }
            compare(stage, true, context);
        },
    );
}
