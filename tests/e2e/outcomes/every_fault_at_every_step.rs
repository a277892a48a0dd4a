//! Every fault at every step: the first few to come there meet it, the others are served as usual. Nobody is lost,
//! doubled, failed for what was not about them, or uncertain where no content had gone out. Then any mix of them.

use std::collections::BTreeMap;
use std::time::Duration;

use letterpress::model::IssueId;
use letterpress::model::delivery::State;
use letterpress::smtp::Timeouts;
use letterpress::store::issues::IssueRow;

use crate::effort::{Dice, is_full};
use crate::fixture::{Newsletter, is_paused};
use crate::server::{At, Do, Gate, Server, say};

const READERS: usize = 12;
/// So many meet the fault.
const TICKETS: usize = 3;
/// How long each step may take where a server stalls.
const PATIENCE: Duration = Duration::from_secs(5);

/// What kind of answer a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// None that can be understood: the connection is of no more use.
    Broken,
    Temporary,
    Permanent,
}

fn faults() -> Vec<(Kind, Do)> {
    let many = |code: u16| {
        (0..99)
            .map(|i| format!("{code}-line {i}\r\n"))
            .collect::<String>()
    };
    let long = "x".repeat(9_000);
    vec![
        (Kind::Broken, Do::Drop),
        // Until the connection is closed: the gate is never opened.
        (Kind::Broken, Do::Hold(Gate::new())),
        (Kind::Broken, say("")),
        (Kind::Broken, say("garbage, and no number")),
        (Kind::Broken, say("\u{0}\u{1}\u{ff}\u{1b}[2J")),
        (Kind::Broken, say("2500 a number of four digits")),
        (
            Kind::Broken,
            say("250-one line\r\n550 and another one that does not belong to it"),
        ),
        (
            Kind::Broken,
            say(&format!("{}450 too many lines", many(450).repeat(3))),
        ),
        (Kind::Broken, say(&"y".repeat(70_000))),
        (Kind::Temporary, say("421 4.3.2 closing")),
        (Kind::Temporary, say("450 4.2.0 greylisted")),
        (Kind::Temporary, say("451")),
        (Kind::Temporary, say(&format!("452 4.3.1 {long}"))),
        (
            Kind::Temporary,
            say(&format!("{}450 4.2.0 many lines", many(450))),
        ),
        (Kind::Permanent, say("550 5.1.1 no such person")),
        (Kind::Permanent, say("554")),
        (Kind::Permanent, say(&format!("552 5.3.4 {long}"))),
        (
            Kind::Permanent,
            say(&format!("{}550 5.7.1 many lines", many(550))),
        ),
    ]
}

/// Steps at which a refusal is about one person.
fn is_personal(at: At) -> bool {
    matches!(at, At::Rcpt | At::Data | At::Dot)
}

/// Whether a server may do so there: who has begun to take a mail answers once, at its end, and what it has kept it
/// has not refused.
fn can_be(at: At, kind: Kind) -> bool {
    kind == Kind::Broken || !matches!(at, At::Content | At::Kept)
}

/// For servers that stall: no other answer takes so long, even on a busy machine.
fn brief() -> Timeouts {
    Timeouts {
        connect: PATIENCE,
        greeting: PATIENCE,
        command: PATIENCE,
        data: PATIENCE,
        block: PATIENCE,
        dot: PATIENCE,
    }
}

/// Waits for the end; what pauses for our fault is resumed, as its author would.
async fn see_through(newsletter: &Newsletter, issue: IssueId) {
    loop {
        let settled =
            |row: &IssueRow| is_paused(row) || row.state.is_over() && row.totals.open() == 0;
        if !is_paused(&newsletter.until(issue, "the end or a pause", settled).await) {
            return;
        }
        newsletter.resume(issue).await;
    }
}

async fn meets(at: At, kind: Kind, fault: Do) {
    let mut tickets = TICKETS;
    let met = fault.clone();
    let server = Server::start(move |step, _, _| {
        if step == at && tickets > 0 {
            tickets -= 1;
            met.clone()
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, READERS).await;
    if matches!(fault, Do::Hold(_)) {
        newsletter.settings.relays[0].endpoint.timeouts = brief();
    }
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    see_through(&newsletter, issue).await;
    sender.stop().await;
    let counts = newsletter.agree(issue, &server).await;
    let of = |state| counts.get(&state).copied().unwrap_or(0);
    let shown: String = format!("{fault:?}").chars().take(60).collect();
    let what = format!("{shown} at {at:?}: {counts:?}");
    assert_eq!(
        of(State::Sent) + of(State::Failed) + of(State::Uncertain),
        READERS,
        "{what}"
    );
    let may_fail = kind == Kind::Permanent && is_personal(at);
    assert!(
        of(State::Failed) <= if may_fail { TICKETS } else { 0 },
        "{what}"
    );
    let unknown = kind == Kind::Broken && matches!(at, At::Content | At::Dot | At::Kept);
    assert!(
        of(State::Uncertain) <= if unknown { TICKETS } else { 0 },
        "{what}"
    );
}

async fn everything_at(at: At) {
    for faults in faults().chunks(6) {
        let mut together = tokio::task::JoinSet::new();
        for (kind, fault) in faults.iter().filter(|(kind, _)| can_be(at, *kind)) {
            together.spawn(meets(at, *kind, fault.clone()));
        }
        while let Some(done) = together.join_next().await {
            done.unwrap();
        }
    }
}

macro_rules! steps {
    ($($name:ident: $at:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            everything_at($at).await;
        }
    )*};
}

steps! {
    at_the_greeting: At::Connect;
    at_ehlo: At::Ehlo;
    at_mail: At::Mail;
    at_rcpt: At::Rcpt;
    at_data: At::Data;
    in_the_content: At::Content;
    after_the_dot: At::Dot;
    with_the_mail_kept: At::Kept;
}

/// Whatever comes by chance at any step, with so many thousandths of a chance.
async fn any_mix(seed: u64, readers: usize, thousandths: u64) -> BTreeMap<State, usize> {
    let mut dice = Dice::of(seed);
    let faults = faults();
    let server = Server::start(move |at, _, _| {
        let (kind, fault) = &faults[usize::try_from(dice.below(faults.len() as u64)).unwrap()];
        if dice.below(1000) < thousandths && can_be(at, *kind) {
            fault.clone()
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, readers).await;
    newsletter.settings.relays[0].endpoint.timeouts = brief();
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    see_through(&newsletter, issue).await;
    sender.stop().await;
    newsletter.agree(issue, &server).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_mix_of_faults_loses_and_doubles_nobody() {
    let rounds = if is_full() { 25 } else { 1 };
    let mut dice = Dice::new();
    for _ in 0..rounds {
        let seed = dice.below(1 << 30);
        let counts = any_mix(seed, 150, 40).await;
        println!("seed {seed}: {counts:?}");
        assert!(counts.len() > 1, "no fault came to anything: {counts:?}");
    }
}
