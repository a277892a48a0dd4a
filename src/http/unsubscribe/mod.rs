//! `/unsubscribe/TOKEN`: GET shows one button; POST unsubscribes the person at once.
//!
//! A POST acts by its address alone, whatever its body, and also where the body never comes or the client has gone.
//! Mailbox providers send RFC 8058's `List-Unsubscribe=One-Click`, urlencoded or as multipart/form-data (section 3.2),
//! without cookies; they get 200 and one line, never a redirect. The body only tells which way was used.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::client::Client;
use super::error::Problem;
use super::page::{Shell, answer};
use super::sentence::{Sentence, Value, sentence};
use super::signed::{Holder, Person, holder, private};
use super::{Site, UNDO_WITHIN};
use crate::model::rendered::Purpose;
use crate::model::subscription::{ConsentMethod, SubscriptionState};
use crate::phrases::fill;

/// How long a body is waited for that tells which way was used. A client that wants to hear first that it may send one
/// (`Expect: 100-continue`) has time to.
const BODY_WITHIN: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "http/pages/unsubscribe.html")]
struct AskPage<'a> {
    shell: Shell<'a>,
    lede: Sentence,
}

#[derive(Template)]
#[template(path = "http/pages/unsubscribed.html")]
struct DonePage<'a> {
    shell: Shell<'a>,
    lede: Sentence,
    undo: Option<Undo>,
}

/// The way back.
struct Undo {
    token: String,
    /// Until when it is open.
    until: String,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Holder::Person(person) = holder(&site, &token, Purpose::Unsubscribe).await? else {
        return Ok(site.test_copy());
    };
    let phrases = site.phrases(person.list);
    let page = AskPage {
        shell: site.shell(phrases.unsubscribe, person.list),
        lede: sentence(
            phrases.leave_lede,
            &[("email", Value::Who(person.email()?))],
        ),
    };
    Ok(private(answer(StatusCode::OK, &page)))
}

pub(super) async fn act(
    State(site): State<Arc<Site>>,
    client: Client,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Holder::Person(person) = holder(&site, &token, Purpose::Unsubscribe).await? else {
        return Ok(site.test_copy());
    };
    let (list, who) = (person.list_id, person.id);
    let at = site.clone();
    // In a task of its own, which ends well also where the client goes away meanwhile.
    let leaving = tokio::spawn(async move {
        let is_one_click = tokio::time::timeout(BODY_WITHIN, is_one_click(request)).await;
        let how = match is_one_click {
            Ok(true) => ConsentMethod::OneClick,
            Ok(false) | Err(_) => ConsentMethod::Page,
        };
        // Whether unsubscribed now, earlier, or never subscribed: no further issue goes out, as asked.
        let consent = at.consent(how, client);
        at.store.unsubscribe(list, who, consent).await.map(|_| how)
    });
    let how = leaving.await.map_err(|_| Problem::Broken)??;
    if how == ConsentMethod::OneClick {
        return Ok("No further issues will be sent to this address.\n".into_response());
    }
    let undo = undo(&site, &person).await?;
    let phrases = site.phrases(person.list);
    let shell = site.shell(phrases.left, person.list);
    let lede = match person.email() {
        Ok(email) => sentence(phrases.left_lede, &[("email", Value::Who(email))]),
        Err(_) => sentence(phrases.left_lede_nameless, &[]),
    };
    Ok(private(answer(
        StatusCode::OK,
        &DonePage { shell, lede, undo },
    )))
}

/// The way back, while there is one.
async fn undo(site: &Site, person: &Person<'_>) -> Result<Option<Undo>, Problem> {
    let Some(list) = person.list else {
        return Ok(None);
    };
    let member = site.store.membership(person.list_id, person.id).await?;
    let Some(member) = member.filter(|m| m.state == SubscriptionState::Unsubscribed) else {
        return Ok(None);
    };
    let since = member.since;
    let within = SignedDuration::try_from(UNDO_WITHIN).unwrap_or_default();
    let until = since.checked_add(within).unwrap_or(since);
    if until < site.clock.now() {
        return Ok(None);
    }
    let zone: TimeZone = list.zone.clone();
    let phrases = site.phrases(Some(list));
    Ok(Some(Undo {
        token: site.links.token(Purpose::Undo, person.list_id, person.id),
        until: fill(
            phrases.undo_until,
            &[("day", &phrases.short_day(&until.to_zoned(zone)))],
        ),
    }))
}

/// Whether a request is the POST of RFC 8058. One whose body can't be read is not.
async fn is_one_click(request: Request) -> bool {
    const FIELD: (&str, &str) = ("List-Unsubscribe", "One-Click");
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    if kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/form-data")
    {
        let Ok(mut parts) = Multipart::from_request(request, &()).await else {
            return false;
        };
        while let Ok(Some(part)) = parts.next_field().await {
            if part.name() == Some(FIELD.0) {
                return part.text().await.is_ok_and(|text| text.trim() == FIELD.1);
            }
        }
        return false;
    }
    let Ok(body) = axum::body::Bytes::from_request(request, &()).await else {
        return false;
    };
    url::form_urlencoded::parse(&body)
        .any(|(name, value)| name == FIELD.0 && value.trim() == FIELD.1)
}

#[cfg(test)]
mod tests;
