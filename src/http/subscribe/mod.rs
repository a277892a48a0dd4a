//! `/subscribe`: GET shows the form; POST takes it, as a page or a script sends it, or JSON, and queues a confirmation
//! mail.
//!
//! The answer is 202 and the same for known and unknown addresses, so nobody can find out who subscribes. An
//! invalid address is explained in one line below the field, and the input is kept.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::multipart::MultipartError;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{FromRequest as _, Multipart, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::json;

use super::Site;
use super::client::Client;
use super::error::Problem;
use super::page::{Shell, answer, speaks_json};
use super::sentence::{Sentence, Value, sentence};
use crate::format;
use crate::model::address::BadAddress;
use crate::model::subscription::{ConsentMethod, SignUp};
use crate::model::{Address, List, ListId};
use crate::phrases::{Bit, Phrases, bits, fill};

/// The longest name that is taken, in characters.
const NAME_MAX: usize = 200;
/// When to try again where too many have not confirmed.
const CROWDED_FOR: Duration = Duration::from_secs(600);
/// How many past issues are shown beside the form.
const PAST_SHOWN: u32 = 3;

/// The fields of a sign-up; all are optional.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    list: Option<String>,
}

/// The query of the form's address.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    list: Option<String>,
}

#[derive(Template)]
#[template(path = "http/pages/subscribe.html")]
struct FormPage<'a> {
    shell: Shell<'a>,
    list: &'a List,
    headline: &'a str,
    email: &'a str,
    error: Option<&'a str>,
    issues: Vec<Past>,
}

/// A past issue, shown as an example.
struct Past {
    /// The number, with what stands before and after it in the language of the page.
    number: Option<(String, u32, String)>,
    title: String,
    date: String,
}

#[derive(Template)]
#[template(path = "http/pages/choose.html")]
struct ChoicePage<'a> {
    shell: Shell<'a>,
    lists: Vec<&'a List>,
}

#[derive(Template)]
#[template(path = "http/pages/checkmail.html")]
struct SentPage<'a> {
    shell: Shell<'a>,
    lede: Sentence,
    note: Sentence,
    list_key: &'a str,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    match wanted_list(&site, wanted.list.as_deref()) {
        Ok((id, list)) => form(&site, id, list, "", None).await,
        Err(Problem::WhichList) => {
            let lists = site.settings.lists.iter().map(|(_, list)| list).collect();
            let shell = site.shell(site.phrases(None).subscribe, None);
            Ok(answer(StatusCode::OK, &ChoicePage { shell, lists }))
        }
        Err(other) => Err(other),
    }
}

pub(super) async fn take(
    State(site): State<Arc<Site>>,
    client: Client,
    request: Request,
) -> Result<Response, Problem> {
    count(&site, client)?;
    let in_json = speaks_json(request.headers());
    let (how, fields) = read(request).await?;
    let (id, list) = wanted_list(&site, fields.list.as_deref())?;
    let phrases = site.phrases(Some(list));
    let typed = fields.email.unwrap_or_default();
    let (email, name) = match checked(&typed, &fields.name.unwrap_or_default(), phrases) {
        Ok(good) => good,
        Err(Problem::Invalid { why, .. }) if !in_json => {
            return form(&site, id, list, &typed, Some(&why)).await;
        }
        Err(other) => return Err(other),
    };
    let consent = site.consent(how, client);
    let confirmation = site
        .settings
        .confirmations
        .get(&id)
        .ok_or(Problem::Broken)?;
    let mail = confirmation.render(consent.at, consent.network.as_deref());
    let quiet_for = list.confirm_again_after;
    let outcome = site
        .store
        .sign_up(id, &email, &name, consent, mail, quiet_for)
        .await?;
    if outcome == SignUp::Asked {
        site.unconfirmed.one_more();
    }
    if in_json {
        let message = fill(phrases.on_its_way, &[("email", email.as_str())]);
        return Ok((StatusCode::ACCEPTED, Json(json!({ "message": message }))).into_response());
    }
    let page = SentPage {
        shell: site.shell(phrases.check_mail, Some(list)),
        lede: sentence(
            phrases.check_mail_lede,
            &[("email", Value::Who(email.as_str()))],
        ),
        note: sentence(
            phrases.check_mail_note,
            &[
                ("from", Value::Who(list.from.address.as_str())),
                ("span", Value::Words(&phrases.span(list.confirm_within))),
            ],
        ),
        list_key: &list.key,
    };
    Ok(answer(StatusCode::ACCEPTED, &page))
}

/// Counts a sign-up towards every limit.
fn count(site: &Site, client: Client) -> Result<(), Problem> {
    if let Err(wait) = site.limiter.take(client.0) {
        if site.refused_sign_up.is_due() {
            let network = client.0;
            let hint = if network.is_local() {
                ". If your proxy is there, set [web] trusted_proxies, or all visitors count as one"
            } else {
                ""
            };
            tracing::warn!(
                "sign-ups from {network} are refused for now (429): more than 20 came within a minute{hint}"
            );
        }
        return Err(Problem::TooMany(wait));
    }
    let wait = match site.limiter.take_of_all() {
        Ok(()) if !site.unconfirmed.are_too_many() => return Ok(()),
        Ok(()) => CROWDED_FOR,
        Err(wait) => wait,
    };
    if site.crowded.is_due() {
        let count = site.unconfirmed.count();
        tracing::warn!(
            "sign-ups from everywhere are refused for now (429): too many came within a minute, or too many ({count}) were not confirmed yet"
        );
    }
    Err(Problem::Crowded(wait))
}

/// The form, empty or with what was typed and what is wrong with it.
async fn form(
    site: &Site,
    id: ListId,
    list: &List,
    typed: &str,
    error: Option<&str>,
) -> Result<Response, Problem> {
    let issues = last_issues(site, id, list).await?;
    let phrases = site.phrases(Some(list));
    let title = if error.is_some() {
        fill(phrases.error_title, &[("page", phrases.subscribe)])
    } else {
        phrases.subscribe.to_owned()
    };
    let mut shell = site.shell(&title, Some(list));
    shell.wide = !issues.is_empty();
    let headline = if list.promise.is_empty() {
        &list.name
    } else {
        &list.promise
    };
    let page = FormPage {
        shell,
        list,
        headline,
        email: typed,
        error,
        issues,
    };
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok(answer(status, &page))
}

/// The newest issues that went out.
async fn last_issues(site: &Site, id: ListId, list: &List) -> Result<Vec<Past>, Problem> {
    let issues = site.store.past_issues(id, PAST_SHOWN).await?;
    let phrases = site.phrases(Some(list));
    let past = issues.into_iter().map(|issue| {
        let sent_on = issue.started_at.to_zoned(list.zone.clone()).date();
        Past {
            number: issue.number.map(|number| around(number, phrases)),
            title: issue.subject,
            date: phrases.date(issue.date.unwrap_or(sent_on)),
        }
    });
    Ok(past.collect())
}

/// A number with the words that stand before and after it, as in “No. 22”: the number itself is set large.
fn around(number: u32, phrases: Phrases) -> (String, u32, String) {
    let (mut before, mut after) = (String::new(), String::new());
    let mut words = &mut before;
    for bit in bits(phrases.number) {
        match bit {
            Bit::Text(text) => words.push_str(text),
            Bit::Hole(_) => words = &mut after,
        }
    }
    (before, number, after)
}

/// The list that is asked for, or the only one.
fn wanted_list<'a>(site: &'a Site, key: Option<&str>) -> Result<(ListId, &'a List), Problem> {
    match key.filter(|key| !key.is_empty()) {
        Some(key) => site.list_by_key(key).ok_or(Problem::UnknownList),
        None => site.only_list().ok_or(Problem::WhichList),
    }
}

/// The fields of a form or of JSON.
async fn read(request: Request) -> Result<(ConsentMethod, Fields), Problem> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => match Json::<Fields>::from_request(request, &()).await {
            Ok(Json(fields)) => Ok((ConsentMethod::Json, fields)),
            Err(JsonRejection::BytesRejection(e)) => Err(unread(e.status())),
            Err(JsonRejection::JsonSyntaxError(_)) => Err(Problem::Malformed("the body is not JSON".into())),
            Err(_) => Err(Problem::Malformed(
                "send an object such as {\"email\": \"mei@example.com\", \"name\": \"\", \"list\": \"\"}".into(),
            )),
        },
        "application/x-www-form-urlencoded" => match Form::<Fields>::from_request(request, &()).await {
            Ok(Form(fields)) => Ok((ConsentMethod::Form, fields)),
            Err(FormRejection::BytesRejection(e)) => Err(unread(e.status())),
            Err(_) => Err(Problem::Malformed("the body is not a form, or has a field twice".into())),
        },
        "multipart/form-data" => Ok((ConsentMethod::Form, parts(request).await?)),
        _ => Err(Problem::WrongType),
    }
}

/// The fields of a form in parts, as scripts send `FormData`.
async fn parts(request: Request) -> Result<Fields, Problem> {
    let not_a_form = || Problem::Malformed("the body is not a form, or has a field twice".into());
    let broken = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        _ => not_a_form(),
    };
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| not_a_form())?;
    let mut fields = Fields::default();
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let field = match part.name() {
            Some("email") => &mut fields.email,
            Some("name") => &mut fields.name,
            Some("list") => &mut fields.list,
            _ => continue,
        };
        if field.replace(part.text().await.map_err(broken)?).is_some() {
            return Err(not_a_form());
        }
    }
    Ok(fields)
}

/// The problem with a body that did not arrive whole.
fn unread(status: StatusCode) -> Problem {
    Problem::of_status(status).unwrap_or(Problem::Malformed("the body ended too early".into()))
}

/// The address and the name, or what to change.
fn checked(email: &str, name: &str, phrases: Phrases) -> Result<(Address, String), Problem> {
    let invalid = |field, why: String| Err(Problem::Invalid { field, why });
    if email.trim().is_empty() {
        return invalid("email", phrases.enter_address.into());
    }
    let name = name
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty());
    let name = name.collect::<Vec<_>>().join(" ");
    if name.chars().count() > NAME_MAX {
        return invalid(
            "name",
            fill(phrases.name_too_long, &[("max", &NAME_MAX.to_string())]),
        );
    }
    match Address::parse(email) {
        Ok(address) => Ok((address, name)),
        Err(why) => invalid("email", unusable(email, &why, phrases)),
    }
}

/// What is wrong with an address: in English as exactly as can be said, elsewhere the likeliest reasons.
fn unusable(typed: &str, why: &BadAddress, phrases: Phrases) -> String {
    if phrases.language() == "en" {
        return format::sentence(&why.to_string());
    }
    match typed.trim().rsplit_once('@') {
        None => phrases.address_without_at,
        Some((local, domain)) if !local.is_empty() && !domain.contains('.') => {
            phrases.address_without_ending
        }
        Some(_) => phrases.address_unusable,
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
