//! `/undo/TOKEN`, for 30 days after somebody unsubscribed: GET shows a button, POST takes it back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::client::Client;
use super::confirm::on_the_list;
use super::error::Problem;
use super::page::{Shell, answer};
use super::sentence::{Sentence, Value, sentence};
use super::signed::{Holder, holder, private};
use super::{Site, UNDO_WITHIN};
use crate::model::rendered::Purpose;
use crate::model::subscription::{ConsentMethod, Undone};

#[derive(Template)]
#[template(path = "http/pages/undo.html")]
struct AskPage<'a> {
    shell: Shell<'a>,
    lede: Sentence,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Holder::Person(person) = holder(&site, &token, Purpose::Undo).await? else {
        return Ok(site.test_copy());
    };
    let list = person.list()?;
    let phrases = site.phrases(Some(list));
    let page = AskPage {
        shell: site.shell(phrases.undo, Some(list)),
        lede: sentence(phrases.undo_lede, &[("email", Value::Who(person.email()?))]),
    };
    Ok(private(answer(StatusCode::OK, &page)))
}

pub(super) async fn act(
    State(site): State<Arc<Site>>,
    client: Client,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Holder::Person(person) = holder(&site, &token, Purpose::Undo).await? else {
        return Ok(site.test_copy());
    };
    let phrases = site.phrases(Some(person.list()?));
    let consent = site.consent(ConsentMethod::Page, client);
    match site
        .store
        .undo_unsubscribe(person.list_id, person.id, consent, UNDO_WITHIN)
        .await?
    {
        Undone::Now | Undone::Already => on_the_list(&site, &person, phrases.subscribed_again),
        Undone::TooLate => Err(Problem::TooLate),
        Undone::Unknown => Err(Problem::Gone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::{FORM, Web, is_strict};
    use crate::model::subscription::SubscriptionState;

    #[tokio::test]
    async fn get_asks_and_post_takes_it_back_for_thirty_days() {
        let web = Web::new().await;
        let who = web.reader("a@readers.example").await;
        web.post(
            &web.path("unsubscribe", Purpose::Unsubscribe, who),
            FORM,
            "",
        )
        .await;
        let path = web.path("undo", Purpose::Undo, who);
        let page = web.get(&path).await;
        assert_eq!(
            (page.status, page.count("form[method=post]")),
            (StatusCode::OK, 1)
        );
        is_strict(&page);
        assert_eq!(web.state(who).await, SubscriptionState::Unsubscribed);
        web.wait(30 * 24 + 1);
        let late = web.post(&path, FORM, "").await;
        assert_eq!(
            (late.status, late.text("h1").as_str()),
            (StatusCode::GONE, "This can no longer be undone")
        );
        assert_eq!(web.state(who).await, SubscriptionState::Unsubscribed);
        let again = web
            .post(
                &web.path("unsubscribe", Purpose::Unsubscribe, who),
                FORM,
                "",
            )
            .await;
        assert_eq!(again.count("form"), 0);
    }

    #[tokio::test]
    async fn the_unsubscribe_link_alone_brings_nobody_back() {
        let web = Web::new().await;
        let who = web.reader("a@readers.example").await;
        let path = web.path("undo", Purpose::Unsubscribe, who);
        assert_eq!(
            web.post(&path, FORM, "").await.status,
            StatusCode::NOT_FOUND
        );
        let never = web.pending("b@readers.example").await;
        assert_eq!(
            web.post(&web.path("undo", Purpose::Undo, never), FORM, "")
                .await
                .status,
            StatusCode::GONE
        );
        assert_eq!(web.state(never).await, SubscriptionState::Pending);
    }
}
