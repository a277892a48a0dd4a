//! `/confirm/TOKEN`: GET shows a button, because mail filters open links on their own; POST confirms.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Site;
use super::client::Client;
use super::error::Problem;
use super::page::{Shell, answer};
use super::sentence::{Sentence, Value, sentence};
use super::signed::{Holder, Person, holder, private};
use crate::model::rendered::Purpose;
use crate::model::subscription::{Confirmed, ConsentMethod};

#[derive(Template)]
#[template(path = "http/pages/confirm.html")]
struct AskPage<'a> {
    shell: Shell<'a>,
    lede: Sentence,
}

/// The page after a confirmation, and after an undo.
#[derive(Template)]
#[template(path = "http/pages/confirmed.html")]
struct OnTheList<'a> {
    shell: Shell<'a>,
    headline: &'static str,
    lede: Sentence,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Holder::Person(person) = holder(&site, &token, Purpose::Confirm).await? else {
        return Ok(site.test_copy());
    };
    let (list, email) = (person.list()?, person.email()?);
    let phrases = site.phrases(Some(list));
    let values = [
        ("email", Value::Who(email)),
        ("list", Value::Newsletter(list)),
    ];
    let page = AskPage {
        shell: site.shell(phrases.confirm_title, Some(list)),
        lede: sentence(phrases.confirm_page_lede, &values),
    };
    Ok(private(answer(StatusCode::OK, &page)))
}

pub(super) async fn act(
    State(site): State<Arc<Site>>,
    client: Client,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Holder::Person(person) = holder(&site, &token, Purpose::Confirm).await? else {
        return Ok(site.test_copy());
    };
    let list = person.list()?;
    let within = list.confirm_within;
    let phrases = site.phrases(Some(list));
    let consent = site.consent(ConsentMethod::Page, client);
    match site
        .store
        .confirm(person.list_id, person.id, consent, within)
        .await?
    {
        Confirmed::Now | Confirmed::Already => on_the_list(&site, &person, phrases.subscribed),
        Confirmed::Expired => Err(Problem::Expired),
        Confirmed::Unknown => Err(Problem::Gone),
    }
}

/// The page that says that a person is subscribed, and when the next issue is sent.
pub(super) fn on_the_list(
    site: &Site,
    person: &Person,
    headline: &'static str,
) -> Result<Response, Problem> {
    let (list, email) = (person.list()?, person.email()?);
    let phrases = site.phrases(Some(list));
    let lede = match (site.next_letter)(list, site.clock.now()) {
        Some(at) => sentence(
            phrases.next_issue,
            &[
                ("when", Value::Strong(&phrases.day_and_hour(&at))),
                ("zone", Value::Words(&crate::format::zone(&at))),
            ],
        ),
        None => sentence(phrases.will_get_next, &[("email", Value::Who(email))]),
    };
    let shell = site.shell(headline, Some(list));
    Ok(private(answer(
        StatusCode::OK,
        &OnTheList {
            shell,
            headline,
            lede,
        },
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::{FORM, Web, is_strict, list};
    use crate::model::subscription::SubscriptionState;

    #[tokio::test]
    async fn get_and_head_change_nothing_and_post_confirms() {
        let web = Web::new().await;
        let who = web.pending("new@readers.example").await;
        let path = web.path("confirm", Purpose::Confirm, who);
        assert_eq!(web.head(&path).await.status, StatusCode::OK);
        let page = web.get(&path).await;
        assert_eq!(
            (
                page.status,
                page.count("form"),
                page.count("form[method=post]")
            ),
            (StatusCode::OK, 1, 1)
        );
        assert_eq!(page.text("h1"), "Confirm your subscription");
        assert_eq!(
            page.text(".lede"),
            "Subscribe new@readers.example to The Weekly Proof."
        );
        is_strict(&page);
        assert_eq!(web.state(who).await, SubscriptionState::Pending);
        let done = web.post(&path, FORM, "confirm=yes").await;
        assert_eq!(
            (done.status, done.text("h1").as_str()),
            (StatusCode::OK, "You are subscribed")
        );
        is_strict(&done);
        assert_eq!(web.state(who).await, SubscriptionState::Active);
        assert_eq!(
            web.post(&path, FORM, "").await.text("h1"),
            "You are subscribed"
        );
    }

    #[tokio::test]
    async fn the_next_issue_is_given_with_day_hour_and_zone() {
        let mut weekly = list("weekly", "The Weekly Proof");
        weekly.schedule = Some("0 8 * * SUN".into());
        let web = Web::with(vec![weekly], &[]).await;
        let who = web.pending("new@readers.example").await;
        let done = web
            .post(&web.path("confirm", Purpose::Confirm, who), FORM, "")
            .await;
        assert_eq!(
            done.text(".lede"),
            "The next issue comes on Wednesday, 25 November at 18:14 (Tokyo)."
        );
    }

    #[tokio::test]
    async fn an_expired_link_says_what_to_do() {
        let web = Web::new().await;
        let who = web.pending("slow@readers.example").await;
        web.wait(73);
        let late = web
            .post(&web.path("confirm", Purpose::Confirm, who), FORM, "")
            .await;
        assert_eq!(late.status, StatusCode::GONE);
        assert_eq!(late.attribute(".more a", "href"), "/subscribe");
        is_strict(&late);
        assert_eq!(web.state(who).await, SubscriptionState::Pending);
    }

    #[tokio::test]
    async fn links_for_other_things_and_lists_that_ended_confirm_nobody() {
        let web = Web::with(vec![list("weekly", "W")], &["gone"]).await;
        let who = web.pending("new@readers.example").await;
        for purpose in [Purpose::Unsubscribe, Purpose::Undo] {
            assert_eq!(
                web.post(&web.path("confirm", purpose, who), FORM, "")
                    .await
                    .status,
                StatusCode::NOT_FOUND
            );
        }
        assert_eq!(
            web.post("/confirm/x", FORM, "").await.status,
            StatusCode::NOT_FOUND
        );
        let ended = format!(
            "/confirm/{}",
            web.links.token(Purpose::Confirm, web.lists["gone"], who)
        );
        for answer in [web.get(&ended).await, web.post(&ended, FORM, "").await] {
            assert_eq!(answer.status, StatusCode::GONE);
            assert_eq!(
                answer.text("h1"),
                "This newsletter is no longer published here"
            );
        }
        assert_eq!(web.state(who).await, SubscriptionState::Pending);
    }
}
