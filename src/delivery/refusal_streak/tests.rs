use super::*;
use crate::model::reply::{Diagnostic, Step};
use crate::model::waiting::RelayProblem;
use crate::smtp::{Reply, ReplyLine};

const ISSUE: IssueId = IssueId(1);
/// Two relays are up.
const TWO: Surroundings = Surroundings {
    has_another_up: true,
    has_accepted: true,
};
/// One relay is up, and has accepted nothing.
const ONE: Surroundings = Surroundings {
    has_another_up: false,
    has_accepted: false,
};

fn reply(text: &str) -> Reply {
    let line = ReplyLine::read(text.as_bytes()).unwrap();
    Reply::new(line.code, vec![line.text])
}

fn fault(text: &str) -> RelayFault {
    RelayFault {
        at: "smtp.example:25".into(),
        problem: RelayProblem::Rejected {
            step: Step::Rcpt,
            reply: text.into(),
            remedy: None,
        },
    }
}

/// What became of a person's mail, by a relay, at a provider; a server's reply decides the rest.
fn met(person: i64, place: usize, provider: &str, text: &str) -> (Outcome, Answer) {
    let reply = reply(text);
    let (event, refusal) = match (reply.code / 100, reply.about(false)) {
        (2, _) => (Event::Accepted, None),
        (4, _) | (_, About::Recipient) => (Event::PermFail, None),
        (_, About::Unknown) => (Event::PermFail, Some(About::Unknown)),
        (_, about) => (Event::Requeued, Some(about)),
    };
    let outcome = Outcome {
        key: MailKey::Issue(ISSUE, SubscriberId(person)),
        from: State::Sending,
        attempt: 1,
        event,
        next_at: None,
        reply: Diagnostic {
            text: text.into(),
            ..reply.diagnostic()
        },
        relay: format!("relay {place}"),
    };
    let answer = Answer {
        place,
        provider: provider.into(),
        epoch: 0,
        refusal: refusal.map(|about| (about, fault(text))),
    };
    (outcome, answer)
}

/// Records outcomes, a batch each; gives all batches with what they led to.
fn run(
    breaker: &RefusalStreakBreaker,
    all: Vec<(Outcome, Answer)>,
    around: &Surroundings,
) -> Vec<(Batch, Consequences)> {
    let record = |(outcome, answer)| {
        let mut batch = Batch::default();
        let then = breaker.record(outcome, Some(answer), &mut batch, around);
        (batch, then)
    };
    all.into_iter().map(record).collect()
}

/// The same refusal of some people.
fn refusals(
    people: std::ops::Range<i64>,
    place: usize,
    provider: &str,
    text: &str,
) -> Vec<(Outcome, Answer)> {
    people
        .map(|person| met(person, place, provider, text))
        .collect()
}

/// How many people have failed in the end.
fn failed(all: &[(Batch, Consequences)]) -> usize {
    let mut states = HashMap::new();
    for outcome in all.iter().flat_map(|(batch, _)| &batch.outcomes) {
        states.insert(outcome.key, outcome.event);
    }
    states
        .values()
        .filter(|event| **event == Event::PermFail)
        .count()
}

fn actions(all: &[(Batch, Consequences)]) -> Vec<Action> {
    all.iter()
        .flat_map(|(_, then)| then.actions.clone())
        .collect()
}

fn pauses(all: &[(Batch, Consequences)]) -> Vec<String> {
    let pauses = all.iter().flat_map(|(batch, _)| &batch.pauses);
    pauses.map(|(_, reason)| reason.to_string()).collect()
}

fn closes(place: usize, provider: &str, text: &str) -> Action {
    Action::Close {
        place,
        provider: provider.into(),
        fault: fault(text),
    }
}

#[test]
fn twenty_that_name_nobody_return_and_close_their_provider() {
    let breaker = RefusalStreakBreaker::default();
    let all = run(&breaker, refusals(0..20, 0, "p", "550 5.7.1 no"), &TWO);
    assert_eq!(actions(&all), [closes(0, "p", "550 5.7.1 no")]);
    assert_eq!((failed(&all), pauses(&all).len()), (0, 0));
    let (last, then) = &all[19];
    assert_eq!((last.outcomes.len(), then.returns.len()), (20, 20));
    assert!(last.outcomes.iter().all(|o| o.event == Event::Requeued));
    let taken_back = last.outcomes.iter().filter(|o| o.from == State::Failed);
    assert_eq!(taken_back.count(), 19);
}

#[test]
fn one_batch_of_all_fails_nobody_either() {
    let breaker = RefusalStreakBreaker::default();
    let mut batch = Batch::default();
    for (outcome, answer) in refusals(0..20, 0, "p", "550 no") {
        breaker.record(outcome, Some(answer), &mut batch, &ONE);
    }
    assert_eq!(batch.outcomes.len(), 20);
    let is_back = |o: &Outcome| o.event == Event::Requeued && o.from == State::Sending;
    assert!(batch.outcomes.iter().all(is_back));
}

#[test]
fn an_acceptance_ends_the_rows_of_its_own_relay_and_provider_alone() {
    // The second relay is refused at a provider, whose people the first relay reaches, and the second reaches others.
    let breaker = RefusalStreakBreaker::default();
    let mut all = Vec::new();
    for person in 0..20 {
        all.push(met(person, 1, "p", "550 no"));
        all.push(met(100 + person, 0, "p", "250 ok"));
        all.push(met(200 + person, 1, "q", "250 ok"));
    }
    let all = run(&breaker, all, &TWO);
    assert_eq!(actions(&all), [closes(1, "p", "550 no")]);
    assert_eq!(failed(&all), 0);

    let breaker = RefusalStreakBreaker::default();
    let mut all = refusals(0..19, 0, "p", "550 no");
    all.push(met(50, 0, "p", "250 ok"));
    all.extend(refusals(60..79, 0, "p", "550 no"));
    let all = run(&breaker, all, &TWO);
    assert_eq!((actions(&all).len(), failed(&all)), (0, 38));
}

#[test]
fn twenty_at_many_providers_are_the_relays_word() {
    let by_turns = |place: usize| {
        let providers = ["a", "b", "c", "d"];
        let texts = ["550 no", "554 5.7.1 no"];
        (0_i64..20)
            .map(|n| {
                let (provider, text) = (providers[n as usize % 4], texts[n as usize % 2]);
                met(n, place, provider, text)
            })
            .collect::<Vec<_>>()
    };
    let breaker = RefusalStreakBreaker::default();
    let all = run(&breaker, by_turns(1), &TWO);
    let back_off = Action::BackOff {
        place: 1,
        fault: fault("554 5.7.1 no"),
    };
    assert_eq!(actions(&all), std::slice::from_ref(&back_off));
    assert_eq!((failed(&all), pauses(&all).len()), (0, 0));
    // It comes back, and is no better: nobody is failed for it again.
    let again = run(&breaker, vec![met(50, 1, "e", "554 5.7.1 no")], &TWO);
    assert_eq!((actions(&again), failed(&again)), (vec![back_off], 0));
    // Until it accepts a mail.
    let after = vec![met(51, 1, "e", "250 ok"), met(52, 1, "f", "554 no")];
    assert_eq!(failed(&run(&breaker, after, &TWO)), 1);

    let breaker = RefusalStreakBreaker::default();
    let alone = run(&breaker, by_turns(0), &ONE);
    let why = &pauses(&alone)[0];
    assert!(why.contains("20 people in a row") && why.contains("554 5.7.1 no"));
    assert_eq!((failed(&alone), actions(&alone).len()), (0, 0));
}

#[test]
fn a_provider_that_refuses_us_by_two_relays_is_closed_to_both() {
    let breaker = RefusalStreakBreaker::default();
    let mut all = Vec::new();
    for person in 0..10 {
        all.push(met(person, 0, "p", "550 no"));
        all.push(met(100 + person, 1, "p", "550 no"));
        all.push(met(200 + person, 0, "q", "250 ok"));
        all.push(met(300 + person, 1, "q", "250 ok"));
    }
    let all = run(&breaker, all, &TWO);
    assert_eq!(
        actions(&all),
        [closes(0, "p", "550 no"), closes(1, "p", "550 no")]
    );
    assert_eq!(failed(&all), 0);
}

#[test]
fn those_in_flight_are_spared_until_a_mail_is_accepted_or_the_author_resumes() {
    let breaker = RefusalStreakBreaker::default();
    run(&breaker, refusals(0..20, 0, "p", "550 5.7.1 no"), &TWO);
    let after = run(
        &breaker,
        vec![
            met(70, 0, "p", "550 5.7.1 no"),
            met(71, 0, "p", "550 5.1.1 no such person"),
        ],
        &TWO,
    );
    let events: Vec<Event> = after.iter().map(|(b, _)| b.outcomes[0].event).collect();
    assert_eq!(events, [Event::Requeued, Event::PermFail]);
    breaker.forget();
    let (outcome, mut answer) = met(70, 0, "p", "550 5.7.1 no");
    answer.epoch = breaker.epoch();
    assert_eq!(failed(&run(&breaker, vec![(outcome, answer)], &TWO)), 1);
}

#[test]
fn who_was_on_the_way_when_the_author_resumed_is_tried_once_more() {
    let breaker = RefusalStreakBreaker::default();
    breaker.forget();
    let mut all = refusals(0..30, 0, "p", "550 no");
    all.extend(refusals(30..60, 0, "p", "550 5.7.26 no"));
    let all = run(&breaker, all, &ONE);
    assert_eq!(
        (failed(&all), actions(&all).len(), pauses(&all).len()),
        (0, 0, 0)
    );
    let mut returns = all.iter().flat_map(|(_, then)| &then.returns);
    assert!(returns.all(|it| it.refused_at.is_none()));
    // A person who is not there is not there.
    let gone = run(&breaker, vec![met(60, 0, "p", "550 5.1.1 no")], &ONE);
    assert_eq!(failed(&gone), 1);
}

#[test]
fn old_addresses_and_given_up_mails_are_no_sign() {
    let breaker = RefusalStreakBreaker::default();
    for text in ["550 5.1.1 no such person", "451 4.7.1 try later"] {
        let all = run(&breaker, refusals(0..60, 0, "p", text), &ONE);
        assert_eq!((actions(&all).len(), pauses(&all).len()), (0, 0), "{text}");
        assert_eq!(failed(&all), 60, "{text}");
    }
}

#[test]
fn three_refusals_that_are_about_us_close_their_provider_and_fail_nobody() {
    let text = "550 5.7.26 unauthenticated";
    let breaker = RefusalStreakBreaker::default();
    let mut all = Vec::new();
    for person in 0..3 {
        all.push(met(person, 0, "gmail.com", text));
        // Whoever else accepts says nothing of it.
        all.push(met(100 + person, 0, "q", "250 ok"));
    }
    let all = run(&breaker, all, &TWO);
    assert_eq!(actions(&all), [closes(0, "gmail.com", text)]);
    assert_eq!(failed(&all), 0);
    let returns: Vec<&Return> = all.iter().flat_map(|(_, then)| &then.returns).collect();
    // Before that each is refused by itself, and another relay may try it.
    let by_one_relay: Vec<bool> = returns.iter().map(|r| r.refused_at.is_some()).collect();
    assert_eq!(by_one_relay, [true, true, false]);
}

#[test]
fn a_few_mails_that_are_refused_among_many_close_nothing() {
    let breaker = RefusalStreakBreaker::default();
    let mut all = Vec::new();
    for person in 0..30 {
        let text = if person % 3 < 2 {
            "554 5.7.1 looks like spam"
        } else {
            "250 ok"
        };
        all.push(met(person, 0, "p", text));
    }
    let all = run(&breaker, all, &TWO);
    assert_eq!((actions(&all).len(), failed(&all)), (0, 0));
}

#[test]
fn a_relay_that_refuses_several_providers_refuses_us() {
    let text = "550 5.1.8 Sender address rejected";
    let people = || {
        (0_i64..3)
            .map(|n| met(n, 1, ["a", "b", "c"][n as usize], text))
            .collect::<Vec<_>>()
    };
    let fresh = Surroundings {
        has_accepted: false,
        ..TWO
    };
    let all = run(&RefusalStreakBreaker::default(), people(), &fresh);
    let back_off = Action::BackOff {
        place: 1,
        fault: fault(text),
    };
    assert_eq!((actions(&all), failed(&all)), (vec![back_off], 0));
    let all = run(&RefusalStreakBreaker::default(), people(), &ONE);
    assert!(pauses(&all)[0].contains("Sender address rejected"));
    // Of one that accepts mails, three providers say nothing.
    let all = run(&RefusalStreakBreaker::default(), people(), &TWO);
    assert_eq!((actions(&all).len(), pauses(&all).len()), (0, 0));
}

#[test]
fn the_limit_of_a_day_is_in_no_row() {
    let breaker = RefusalStreakBreaker::default();
    let text = "550 5.4.5 Daily user sending limit exceeded";
    let all = run(&breaker, refusals(0..30, 0, "p", text), &ONE);
    assert_eq!((actions(&all).len(), pauses(&all).len()), (0, 0));
    assert!(
        all.iter()
            .all(|(b, then)| b.outcomes[0].event == Event::Requeued && then.returns.len() == 1)
    );
}

#[test]
fn rows_are_bounded_and_mails_of_no_issue_count_for_none() {
    let breaker = RefusalStreakBreaker::default();
    for n in 0..5_000_i64 {
        let all = vec![
            met(n, 0, &format!("p{n}"), "550 no"),
            met(n, 0, "q", "250 ok"),
        ];
        run(&breaker, all, &TWO);
    }
    assert!(breaker.inner().streaks.len() <= ROWS_MAX + 4);
    let breaker = RefusalStreakBreaker::default();
    let mut batch = Batch::default();
    for (outcome, _) in refusals(0..30, 0, "p", "550 no") {
        breaker.record(outcome, None, &mut batch, &ONE);
    }
    assert!(batch.pauses.is_empty() && batch.outcomes.len() == 30);
}
