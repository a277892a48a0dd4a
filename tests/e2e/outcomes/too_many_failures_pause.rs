//! An issue of which too large a share fails pauses by itself, says why in the server's words, and loses no counts.

use letterpress::model::delivery::State;
use letterpress::pace::PauseAbove;

use crate::fixture::{Newsletter, is_paused};
use crate::server::{At, Do, Server, say};

fn number(rcpt: &str) -> usize {
    rcpt.chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_for_good_pause_it_and_a_resume_counts_anew() {
    // Every second has gone: too many for a list that is looked after, too few in a row for a refusal of us.
    let server = Server::start(|at, rcpt, _| {
        if at == At::Rcpt && number(rcpt).is_multiple_of(2) {
            say("550 5.1.1 no such person here")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 400).await;
    newsletter.settings.pacing.pause_above = PauseAbove {
        failed: 0.3,
        deferred: 0.7,
    };
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.paused(issue).await;
    let reason = row.reason.unwrap().to_string();
    assert!(
        reason.contains("permanent failures") && reason.contains("550 5.1.1 no such person here"),
        "{reason}"
    );
    let answered = row.totals.sent + row.totals.failed;
    assert!((100..=110).contains(&answered), "{answered} answers");
    assert_eq!(
        newsletter.agree(issue, &server).await[&State::Queued] as u64,
        400 - answered
    );

    newsletter.resume(issue).await;
    let row = newsletter
        .until(issue, "the next pause", |row| {
            is_paused(row) && row.totals.sending == 0
        })
        .await;
    let more = row.totals.sent + row.totals.failed - answered;
    // Those in flight at the pause, one a connection, count with the next hundred.
    assert!(
        (96..=110).contains(&more),
        "{more} answers after the resume"
    );

    server.script(|_, _, _| Do::Usual);
    newsletter.resume(issue).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!(row.totals.sent + row.totals.failed, 400);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_for_now_of_one_provider_pause_it() {
    let server = Server::start(|at, rcpt, _| {
        let bad = rcpt.ends_with("@bad.example");
        if at == At::Rcpt && bad {
            say("451 4.7.1 not from you today")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 300).await;
    for i in 0..150 {
        newsletter
            .reader(&format!("other{i}@bad.example"), "Other")
            .await;
    }
    newsletter.settings.pacing.pause_above = PauseAbove {
        failed: 0.3,
        deferred: 0.7,
    };
    newsletter.settings.first_retry = std::time::Duration::from_secs(600);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.paused(issue).await;
    let reason = row.reason.unwrap().to_string();
    assert!(
        reason.contains("for bad.example") && reason.contains("451 4.7.1 not from you today"),
        "{reason}"
    );
    assert_eq!(newsletter.agree(issue, &server).await[&State::Sent], 300);
    sender.stop().await;
}
