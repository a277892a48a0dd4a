//! The first five to come to a step meet a fault, the others are served as usual: whoever was not at fault gets
//! the mail, whoever may have it is uncertain, whoever was refused has failed with the server's words.

use std::collections::BTreeMap;
use std::time::Duration;

use letterpress::model::IssueId;
use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::server::{At, Do, Server, say};

/// The state in which those five end.
async fn five_meet(at: At, fault: Do, fate: State) {
    let mut tickets = 5;
    let answer = fault.clone();
    let server = Server::start(move |step, _, _| {
        if step == at && tickets > 0 {
            tickets -= 1;
            answer.clone()
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 24).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter.settle(issue, &server).await;
    let counts = newsletter.agree(issue, &server).await;
    let expected = if fate == State::Sent {
        BTreeMap::from([(fate, 24)])
    } else {
        BTreeMap::from([(State::Sent, 19), (fate, 5)])
    };
    assert_eq!(counts, expected, "{fault:?} at {at:?}");
    if let Do::Say(text) = &fault {
        comes_back_no_sooner_than_first_retry(&server, text);
        for row in newsletter
            .rows(issue)
            .await
            .iter()
            .filter(|row| row.state == State::Failed)
        {
            assert_eq!(row.reply.as_deref(), Some(text.as_str()));
            assert_eq!(
                row.code.map(|code| code.to_string()).as_deref(),
                Some(&text[..3])
            );
        }
    }
    if fate != State::Sent {
        goes_again_to_those_alone(&newsletter, issue, &server, fate).await;
        let doubles = newsletter
            .readers
            .iter()
            .filter(|who| server.count(who) > 1)
            .count();
        assert_eq!(doubles, if at == At::Kept { 5 } else { 0 });
    }
    one_message_id_a_person(&server, 24);
    sender.stop().await;
}

/// Their author has those retried who are in a state: each gets it once more, whoever had it, and nobody else does.
async fn goes_again_to_those_alone(
    newsletter: &Newsletter,
    issue: IssueId,
    server: &Server,
    fate: State,
) {
    let mut before = newsletter.had(issue, server).await;
    for row in newsletter
        .rows(issue)
        .await
        .iter()
        .filter(|row| row.state != fate)
    {
        before.remove(&row.email);
    }
    newsletter
        .store
        .retry(issue, fate, newsletter.clock.now())
        .await
        .unwrap();
    newsletter
        .until(issue, "the retried", |row| row.totals.sent == 24)
        .await;
    newsletter.agree_after(issue, server, &before).await;
}

fn comes_back_no_sooner_than_first_retry(server: &Server, fault: &str) {
    if !fault.starts_with('4') {
        return;
    }
    let mut last = BTreeMap::new();
    for (who, at) in server.rcpts() {
        if let Some(before) = last.insert(who.clone(), at) {
            assert!(
                at - before >= Duration::from_millis(290),
                "{who} came back after {:?}",
                at - before
            );
        }
    }
}

fn one_message_id_a_person(server: &Server, readers: usize) {
    let ids: std::collections::BTreeSet<String> = server
        .mails()
        .iter()
        .map(|mail| {
            let mail = mail_parser::MessageParser::default()
                .parse(&mail.bytes)
                .unwrap();
            mail.message_id().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), readers);
}

macro_rules! faults {
    ($($name:ident: $at:expr, $fault:expr => $fate:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            five_meet($at, $fault, $fate).await;
        }
    )*};
}

faults! {
    hangs_up_at_once: At::Connect, Do::Drop => State::Sent;
    is_not_ready: At::Connect, say("421 4.3.2 not now") => State::Sent;
    hangs_up_at_ehlo: At::Ehlo, Do::Drop => State::Sent;
    refuses_ehlo_for_now: At::Ehlo, say("421 4.3.2 not now") => State::Sent;
    hangs_up_at_mail: At::Mail, Do::Drop => State::Sent;
    refuses_mail_for_now: At::Mail, say("451 4.3.0 later") => State::Sent;
    hangs_up_at_rcpt: At::Rcpt, Do::Drop => State::Sent;
    greylists: At::Rcpt, say("450 4.2.0 greylisted") => State::Sent;
    greylists_in_two_lines: At::Rcpt, say("450-4.2.0 grey\r\n450 4.2.0 listed") => State::Sent;
    closes_at_rcpt: At::Rcpt, say("421 4.7.0 too many messages") => State::Sent;
    knows_nobody: At::Rcpt, say("550 5.1.1 no such person") => State::Failed;
    says_garbage_at_rcpt: At::Rcpt, say("garbage answer") => State::Sent;
    hangs_up_at_data: At::Data, Do::Drop => State::Sent;
    refuses_data_for_now: At::Data, say("451 4.3.0 later") => State::Sent;
    refuses_data: At::Data, say("554 5.6.0 refused") => State::Failed;
    takes_the_mail_before_it_comes: At::Data, say("354 go on\r\n250 2.0.0 taken already") => State::Sent;
    // So short a mail is in the network's hands when the server hangs up: nobody knows what it took.
    hangs_up_in_content: At::Content, Do::Drop => State::Uncertain;
    hangs_up_after_the_dot: At::Dot, Do::Drop => State::Uncertain;
    is_full: At::Dot, say("452 4.2.2 full") => State::Sent;
    refuses_the_mail: At::Dot, say("554 5.6.0 refused") => State::Failed;
    has_had_too_many: At::Dot, say("421 4.7.0 too many") => State::Sent;
    says_garbage_after_the_dot: At::Dot, say("what?") => State::Uncertain;
    hangs_up_with_the_mail: At::Kept, Do::Drop => State::Uncertain;
}
