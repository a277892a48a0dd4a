//! Who becomes active, who does not, what is mailed meanwhile, and what stays on record.

use super::*;
use crate::model::subscription::ConsentMethod;
use crate::store::testing::{address, column, hours, meddle, open, open_with_list, plan, t};

const ANN: &str = "ann@readers.example";
const HOUR: i64 = 3600;

fn by(at: Timestamp, how: ConsentMethod) -> Consent {
    Consent {
        at,
        how,
        network: Some("192.0.2.0/24".into()),
    }
}

async fn sign_up(store: &Store, list: ListId, email: &str, name: &str, at: Timestamp) -> SignUp {
    store
        .sign_up(
            list,
            &address(email),
            name,
            by(at, ConsentMethod::Form),
            Rendered::empty(),
            hours(1),
        )
        .await
        .unwrap()
}

async fn person(store: &Store, email: &str) -> Subscriber {
    store
        .find_subscriber(&address(email))
        .await
        .unwrap()
        .unwrap()
}

async fn state(store: &Store, email: &str) -> SubscriptionState {
    person(store, email).await.subscriptions[0].state
}

async fn history(store: &Store) -> Vec<String> {
    column(store, "SELECT event || ' ' || how FROM consent ORDER BY id").await
}

async fn mails(store: &Store) -> usize {
    column(store, "SELECT kind FROM system_mail").await.len()
}

/// The relay has answered: no confirmation mail waits any more.
async fn mails_went_out(store: &Store) {
    meddle(store, "UPDATE system_mail SET state = 2").await;
}

#[tokio::test]
async fn a_person_joins_confirms_leaves_and_comes_back() {
    let (_dir, store, list) = open_with_list().await;
    assert_eq!(
        sign_up(&store, list, "Ann@Readers.example", " An\nn", t(0)).await,
        SignUp::Asked
    );
    let ann = person(&store, ANN).await;
    assert_eq!(
        (ann.email.as_str(), ann.name.as_str()),
        ("Ann@readers.example", "An n")
    );
    assert_eq!(
        (state(&store, ANN).await, ann.joined_at),
        (SubscriptionState::Pending, t(0))
    );

    let page = |at| by(at, ConsentMethod::Page);
    assert_eq!(
        store
            .confirm(list, ann.id, page(t(HOUR)), hours(72))
            .await
            .unwrap(),
        Confirmed::Now
    );
    assert_eq!(state(&store, ANN).await, SubscriptionState::Active);
    assert_eq!(
        store
            .confirm(list, ann.id, page(t(HOUR)), hours(72))
            .await
            .unwrap(),
        Confirmed::Already
    );

    let click = by(t(2 * HOUR), ConsentMethod::OneClick);
    assert_eq!(
        store
            .unsubscribe(list, ann.id, click.clone())
            .await
            .unwrap(),
        Unsubscribed::Now
    );
    assert_eq!(
        store.unsubscribe(list, ann.id, click).await.unwrap(),
        Unsubscribed::Already
    );
    assert_eq!(state(&store, ANN).await, SubscriptionState::Unsubscribed);
    let old_link = store
        .confirm(list, ann.id, page(t(3 * HOUR)), hours(72))
        .await
        .unwrap();
    assert_eq!(
        old_link,
        Confirmed::Expired,
        "the old link must not bring anybody back"
    );

    mails_went_out(&store).await;
    assert_eq!(
        sign_up(&store, list, ANN, "", t(4 * HOUR)).await,
        SignUp::Asked
    );
    assert_eq!(state(&store, ANN).await, SubscriptionState::Pending);
    assert_eq!(
        store
            .confirm(list, ann.id, page(t(5 * HOUR)), hours(72))
            .await
            .unwrap(),
        Confirmed::Now
    );
    assert_eq!(
        history(&store).await,
        [
            "asked form",
            "confirmed page",
            "left one-click",
            "asked form",
            "confirmed page"
        ]
    );
    let networks = column(&store, "SELECT DISTINCT network FROM consent").await;
    assert_eq!(networks, ["192.0.2.0/24"]);
}

#[tokio::test]
async fn repeated_sign_ups_send_one_mail_until_the_time_is_over() {
    let (_dir, store, list) = open_with_list().await;
    assert_eq!(sign_up(&store, list, ANN, "Ann", t(0)).await, SignUp::Asked);
    mails_went_out(&store).await;
    assert_eq!(
        sign_up(&store, list, ANN, "Ann", t(HOUR - 1)).await,
        SignUp::Quiet
    );
    assert_eq!(
        sign_up(&store, list, "ANN@readers.example", "Ann", t(-60)).await,
        SignUp::Quiet
    );
    assert_eq!(mails(&store).await, 1);
    assert_eq!(
        sign_up(&store, list, ANN, "Ann", t(HOUR)).await,
        SignUp::Asked
    );
    assert_eq!(mails(&store).await, 2);
    // That mail still waits for the relay: one is enough, and the question is as young as the last wish.
    assert_eq!(
        sign_up(&store, list, ANN, "Ann", t(80 * HOUR)).await,
        SignUp::Quiet
    );
    assert_eq!(mails(&store).await, 2);
    let ann = person(&store, ANN).await;
    let confirmed = store
        .confirm(
            list,
            ann.id,
            by(t(81 * HOUR), ConsentMethod::Page),
            hours(72),
        )
        .await
        .unwrap();
    assert_eq!(confirmed, Confirmed::Now);
}

#[tokio::test]
async fn leaving_lets_no_second_mail_out() {
    let (_dir, store, list) = open_with_list().await;
    sign_up(&store, list, ANN, "", t(0)).await;
    mails_went_out(&store).await;
    let ann = person(&store, ANN).await;
    store
        .unsubscribe(list, ann.id, by(t(1), ConsentMethod::Page))
        .await
        .unwrap();
    assert_eq!(sign_up(&store, list, ANN, "", t(2)).await, SignUp::Quiet);
    assert_eq!(sign_up(&store, list, ANN, "", t(HOUR)).await, SignUp::Asked);
}

#[tokio::test]
async fn a_stranger_changes_nothing_of_who_is_active() {
    let (_dir, store, list) = open_with_list().await;
    let command = by(t(0), ConsentMethod::Command);
    assert_eq!(
        store
            .add(list, &address(ANN), "Ann", command)
            .await
            .unwrap(),
        Added::Now
    );
    assert_eq!(
        sign_up(&store, list, ANN, "Buy pills", t(9 * HOUR)).await,
        SignUp::Quiet
    );
    assert_eq!(mails(&store).await, 0);
    assert_eq!(person(&store, ANN).await.name, "Ann");
    assert_eq!(state(&store, ANN).await, SubscriptionState::Active);
    assert_eq!(history(&store).await, ["added command"]);
}

#[tokio::test]
async fn a_suppressed_address_gets_no_mail_and_no_row() {
    let (_dir, store, list) = open_with_list().await;
    meddle(
        &store,
        "INSERT INTO suppression (email, reason, at) VALUES ('ann@readers.EXAMPLE', 'hard', 0)",
    )
    .await;
    assert_eq!(sign_up(&store, list, ANN, "Ann", t(0)).await, SignUp::Quiet);
    assert_eq!(mails(&store).await, 0);
    assert_eq!(store.find_subscriber(&address(ANN)).await.unwrap(), None);
}

#[tokio::test]
async fn a_question_grows_old() {
    let (_dir, store, list) = open_with_list().await;
    sign_up(&store, list, ANN, "", t(0)).await;
    let ann = person(&store, ANN).await.id;
    let at = |seconds| by(t(seconds), ConsentMethod::Page);
    assert_eq!(
        store
            .confirm(list, ann, at(72 * HOUR + 1), hours(72))
            .await
            .unwrap(),
        Confirmed::Expired
    );
    assert_eq!(state(&store, ANN).await, SubscriptionState::Pending);
    assert_eq!(
        store
            .confirm(list, ann, at(72 * HOUR), hours(72))
            .await
            .unwrap(),
        Confirmed::Now
    );
    let nobody = SubscriberId(ann.0 + 1);
    assert_eq!(
        store.confirm(list, nobody, at(0), hours(72)).await.unwrap(),
        Confirmed::Unknown
    );
    assert_eq!(
        store
            .confirm(ListId(99), ann, at(0), hours(72))
            .await
            .unwrap(),
        Confirmed::Unknown
    );
    assert_eq!(
        store.unsubscribe(ListId(99), ann, at(0)).await.unwrap(),
        Unsubscribed::Unknown
    );
}

#[tokio::test]
async fn leaving_can_be_undone_for_a_while() {
    let (_dir, store, list) = open_with_list().await;
    store
        .add(list, &address(ANN), "", by(t(0), ConsentMethod::Command))
        .await
        .unwrap();
    let ann = person(&store, ANN).await.id;
    let undo = |at| store.undo_unsubscribe(list, ann, by(t(at), ConsentMethod::Page), hours(720));
    assert_eq!(undo(1).await.unwrap(), Undone::Already);
    store
        .unsubscribe(list, ann, by(t(2), ConsentMethod::Page))
        .await
        .unwrap();
    assert_eq!(undo(3 + 720 * HOUR).await.unwrap(), Undone::TooLate);
    assert_eq!(undo(2 + 720 * HOUR).await.unwrap(), Undone::Now);
    assert_eq!(state(&store, ANN).await, SubscriptionState::Active);
    assert_eq!(
        history(&store).await,
        ["added command", "left page", "undone page"]
    );
}

#[tokio::test]
async fn undoing_makes_nobody_active_who_never_was() {
    let (_dir, store, list) = open_with_list().await;
    sign_up(&store, list, ANN, "", t(0)).await;
    let ann = person(&store, ANN).await.id;
    let at = |seconds| by(t(seconds), ConsentMethod::Page);
    assert_eq!(
        store
            .undo_unsubscribe(list, ann, at(1), hours(720))
            .await
            .unwrap(),
        Undone::Unknown
    );
    store.unsubscribe(list, ann, at(2)).await.unwrap();
    assert_eq!(
        store
            .undo_unsubscribe(list, ann, at(3), hours(720))
            .await
            .unwrap(),
        Undone::Unknown
    );
    assert_eq!(state(&store, ANN).await, SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn the_author_s_word_brings_nobody_back() {
    let (_dir, store, list) = open_with_list().await;
    let add = |name: &'static str, at| {
        let store = store.clone();
        async move {
            store
                .add(list, &address(ANN), name, by(t(at), ConsentMethod::Command))
                .await
                .unwrap()
        }
    };
    assert_eq!(add("Ann", 0).await, Added::Now);
    assert_eq!(add("Ann B", 1).await, Added::Already);
    assert_eq!(add("", 2).await, Added::Already);
    assert_eq!(person(&store, ANN).await.name, "Ann B");
    let left = store
        .remove(
            None,
            &address("ANN@readers.example"),
            by(t(3), ConsentMethod::Command),
        )
        .await
        .unwrap();
    assert_eq!(left, Some(vec!["weekly".to_owned()]));
    assert_eq!(
        add("Ann C", 4).await,
        Added::Gone(SubscriptionState::Unsubscribed, t(3))
    );
    // A stranger's wish makes them pending; that opens no back door.
    assert_eq!(sign_up(&store, list, ANN, "", t(5)).await, SignUp::Asked);
    assert_eq!(
        add("Ann C", 6).await,
        Added::Gone(SubscriptionState::Pending, t(5))
    );
    assert_eq!(person(&store, ANN).await.name, "Ann B");
    // Whoever only asked and never left may be added.
    let eve = "eve@readers.example";
    sign_up(&store, list, eve, "", t(7)).await;
    let added = store
        .add(list, &address(eve), "Eve", by(t(8), ConsentMethod::Command))
        .await
        .unwrap();
    assert_eq!(
        (added, state(&store, eve).await),
        (Added::Now, SubscriptionState::Active)
    );
}

#[tokio::test]
async fn removing_takes_one_list_or_all() {
    let (_dir, store, weekly) = open_with_list().await;
    let daily = store
        .ensure_lists(&["daily".to_owned()], t(0))
        .await
        .unwrap()["daily"];
    for list in [weekly, daily] {
        store
            .add(list, &address(ANN), "", by(t(0), ConsentMethod::Command))
            .await
            .unwrap();
    }
    let (ann, eve) = (address(ANN), address("eve@readers.example"));
    let remove = |list| store.remove(list, &ann, by(t(1), ConsentMethod::Command));
    assert_eq!(
        store
            .remove(None, &eve, by(t(1), ConsentMethod::Command))
            .await
            .unwrap(),
        None
    );
    assert_eq!(remove(Some(ListId(99))).await.unwrap(), None);
    assert_eq!(
        remove(Some(daily)).await.unwrap(),
        Some(vec!["daily".to_owned()])
    );
    assert_eq!(remove(None).await.unwrap(), Some(vec!["weekly".to_owned()]));
    assert_eq!(remove(None).await.unwrap(), Some(vec![]));
}

#[tokio::test]
async fn whatever_a_visitor_can_ask_for_is_found_by_an_index() {
    let (_dir, store) = open().await;
    for sql in [
        IS_SUPPRESSED,
        FIND,
        MEMBERSHIP,
        MAIL_WAITS,
        SUBSCRIPTIONS_OF,
    ] {
        let plan = plan(&store, sql).await;
        assert!(
            plan.contains("SEARCH") && !plan.contains("SCAN"),
            "{sql}: {plan}"
        );
    }
}

#[test]
fn a_history_is_read_whatever_its_words() {
    for (words, history) in [
        ("", History::OnlyAsked),
        ("asked", History::OnlyAsked),
        ("asked,left", History::Left),
        ("asked,forgotten", History::Left),
        ("left,asked,added", History::Agreed),
    ] {
        assert_eq!(history_of(words), history, "{words}");
    }
}
