//! What surrounds every route: headers, a log line, and problems shown as a page or as JSON.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Site;
use super::client::warn_of_proxy;
use super::error::Problem;
use super::page::{Plain, answer, speaks_json};
use crate::model::List;
use crate::page::HEADERS;

/// Adds the headers that the route has not set, and logs the answer by its route. Paths are not logged: they can
/// hold tokens.
pub(super) async fn add_headers(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    tracing::debug!(
        %method,
        route,
        status = response.status().as_u16(),
        ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Shows a problem as JSON to a client that sent or accepts JSON, else as a page. Errors of the framework itself
/// (405, 408, 413) are shown the same way.
pub(super) async fn show_problems(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    warn_of_proxy(&site, request.extensions(), request.headers());
    let in_json = speaks_json(request.headers());
    let asked = request.uri().clone();
    let response = next.run(request).await;
    let known = response.extensions().get::<Problem>().cloned();
    let bare = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|t| t == "text/plain; charset=utf-8");
    let Some(problem) = known.or_else(|| Problem::of_status(response.status()).filter(|_| bare))
    else {
        return response;
    };
    let list = list_of(&site, &asked);
    let mut dressed = if in_json {
        json_of(&problem, &site, list)
    } else {
        page_of(&problem, &site, list)
    };
    if let Some(allow) = response.headers().get(header::ALLOW) {
        dressed.headers_mut().insert(header::ALLOW, allow.clone());
    }
    let wait = match problem {
        Problem::TooMany(wait) | Problem::Crowded(wait) => Some(wait.as_secs() + 1),
        Problem::Busy => Some(60),
        _ => None,
    };
    if let Some(seconds) = wait {
        dressed
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    dressed
}

/// The list that a request is about, as far as its address says: by its token, or by the list that it names.
fn list_of<'a>(site: &'a Site, asked: &Uri) -> Option<&'a List> {
    let token = asked.path().rsplit('/').next().unwrap_or_default();
    if let Ok(claim) = site.links.verify(token) {
        return site.list(claim.list);
    }
    let query = asked.query().unwrap_or_default().as_bytes();
    let (_, key) = url::form_urlencoded::parse(query).find(|(name, _)| name == "list")?;
    site.list_by_key(&key).map(|(_, list)| list)
}

/// The problem as JSON, with its status.
fn json_of(problem: &Problem, site: &Site, list: Option<&List>) -> Response {
    let explanation = problem.explanation(site.phrases(list));
    let field = if let Problem::Invalid { field, .. } = problem {
        Some(*field)
    } else {
        None
    };
    let body =
        json!({ "error": { "code": problem.code(), "field": field, "message": explanation.lede } });
    (problem.status(), Json(body)).into_response()
}

/// The problem as a page, with its status.
fn page_of(problem: &Problem, site: &Site, list: Option<&List>) -> Response {
    let explanation = problem.explanation(site.phrases(list));
    let figure = matches!(problem, Problem::NotFound).then_some("404");
    answer(
        problem.status(),
        &Plain {
            shell: site.shell(explanation.headline, list),
            figure,
            headline: explanation.headline,
            lede: &explanation.lede,
            lede_lang: explanation.lede_lang,
            again: explanation.again,
        },
    )
}
