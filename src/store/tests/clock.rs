//! Times that are not to be taken at their word: of a clock that was set back, and of tries that were nobody's fault.

use super::ledger::{ahead, claim, outcome, record, under_way};
use crate::model::Rendered;
use crate::model::delivery::Event;
use crate::model::sending::IssueState;
use crate::store::issues::{NewIssue, Queueing};
use crate::store::steering::Steered;
use crate::store::testing::{address, by_author, consent, hours, new_issue, open_with_list, t};

#[tokio::test]
async fn an_issue_that_has_begun_goes_on_whatever_the_clock_says() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 2).await;
    let people = ahead(&store, issue, 2).await;
    claim(&store, people, 2).await;
    store.pause(issue, &by_author()).await.unwrap();
    let before_it_was_due = t(-600);
    assert_eq!(
        store.resume(issue, before_it_was_due).await.unwrap(),
        Steered::Now(IssueState::Sending)
    );
    let again = store
        .queue_issue(NewIssue {
            replace: true,
            ..new_issue(list, "001", 1)
        })
        .await
        .unwrap();
    assert!(
        matches!(again, Queueing::AlreadySent { .. }),
        "{again:?}: they would get it twice"
    );
}

#[tokio::test]
async fn a_try_that_was_nobodys_fault_makes_nobody_older() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 1).await;
    let people = ahead(&store, issue, 2).await;
    claim(&store, people.clone(), 2).await;
    let returned = outcome(&people[0], 1, Event::Requeued, None);
    record(&store, vec![returned], 3).await;
    assert_eq!(ahead(&store, issue, 200_000).await[0].first_at, None);
}

#[tokio::test]
async fn nor_does_it_make_a_confirmation_older() {
    let (_dir, store, list) = open_with_list().await;
    let who = address("new@readers.example");
    store
        .sign_up(list, &who, "", consent(), Rendered::empty(), hours(1))
        .await
        .unwrap();
    let waiting = async || {
        store
            .waiting_system_mails(t(5), t(90_000), &[list], 10)
            .await
            .unwrap()
            .0
            .remove(0)
            .candidate
    };
    let mail = waiting().await;
    claim(&store, vec![mail.clone()], 2).await;
    record(&store, vec![outcome(&mail, 1, Event::Requeued, None)], 3).await;
    assert_eq!(waiting().await.first_at, None);
}
