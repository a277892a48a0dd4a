//! The demo inbox's pages: every received mail as its reader sees it, as text, as headers and as source.
//!
//! Without scripts: tabs, widths, search and paging are links. The HTML of a mail is shown in a frame without scripts
//! or forms, which may load pictures from the daemon's `/media/` alone; its links open in a new tab. On a phone the
//! list and the mail are separate pages.
//!
//! What it leaves to others: receiving mail (`inbox::smtp`), and counting what was planned (`app`).

mod index;
mod links;
mod mail;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tokio::sync::watch;

use crate::model::delivery::Totals;
use crate::page;
use index::Index;
use view::Choice;

/// What the pages show besides the mails.
pub struct DemoFacts {
    /// The daemon's `public_url`, without a slash at its end: the mails link to its pages and pictures.
    pub daemon_url: String,
    /// The issue that is ready, and the command that sends it; `None` once it was sent.
    pub next: watch::Receiver<Option<NextIssue>>,
    /// The progress of the send, kept up to date by the sender; `None` before it begins.
    pub sum: watch::Receiver<Option<Sum>>,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

/// The issue that the reader may send next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextIssue {
    /// Such as `No. 23`.
    pub title: String,
    /// The command that sends it, to be copied.
    pub command: String,
}

/// The totals of a send.
#[derive(Clone, Debug)]
pub struct Sum {
    /// How many mails are in each state.
    pub totals: Totals,
    /// Mails per second; `None` before the first.
    pub rate_per_s: Option<f64>,
}

struct Inbox {
    index: Arc<Index>,
    facts: DemoFacts,
    style: String,
    style_name: String,
}

/// The pages of a Maildir. Its `new/` and `cur/` are read for each page.
pub fn router(maildir: PathBuf, facts: DemoFacts) -> Router {
    let style = [page::BASE_CSS, include_str!("inbox.css")].concat();
    let style_name = format!("style-{}.css", page::fingerprint(&style));
    let style_path = format!("/{style_name}");
    let inbox = Arc::new(Inbox {
        index: Arc::new(Index::new(maildir)),
        facts,
        style,
        style_name,
    });
    Router::new()
        .route("/", get(list))
        .route("/mail/{id}", get(mail))
        .route("/mail/{id}/body", get(body))
        .route(&style_path, get(style_sheet))
        .route("/icon.svg", get(icon))
        .fallback(missing)
        .layer(from_fn(strict))
        .with_state(inbox)
}

/// What the reader chose with a link; unknown values mean the default.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    view: String,
    #[serde(default)]
    width: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    page: String,
}

async fn list(State(inbox): State<Arc<Inbox>>, Query(asked): Query<Asked>) -> Response {
    show(&inbox, None, Choice::of(&asked)).await
}

async fn mail(
    State(inbox): State<Arc<Inbox>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    show(&inbox, Some(&id), Choice::of(&asked)).await
}

/// A page of the list with one mail open: the one of `id`, else the newest.
async fn show(inbox: &Inbox, id: Option<&str>, choice: Choice) -> Response {
    let entries = match read_index(inbox).await {
        Ok(entries) => entries,
        Err(answer) => return answer,
    };
    let open = match id {
        Some(id) => entries.iter().find(|e| e.id == id),
        None => entries.first(),
    };
    let mail = match open {
        Some(entry) => match read_mail(entry.clone()).await {
            Ok(mail) => Some((entry.clone(), mail)),
            Err(answer) => return answer,
        },
        None if id.is_some() => return missing().await,
        None => None,
    };
    view::page(inbox, &entries, mail, id.is_some(), &choice)
}

/// One mail's HTML, for the frame.
async fn body(State(inbox): State<Arc<Inbox>>, Path(id): Path<String>) -> Response {
    let entries = match read_index(&inbox).await {
        Ok(entries) => entries,
        Err(answer) => return answer,
    };
    let Some(entry) = entries.iter().find(|e| e.id == id) else {
        return missing().await;
    };
    let mail = match read_mail(entry.clone()).await {
        Ok(mail) => mail,
        Err(answer) => return answer,
    };
    let html = links::open_beside(&mail.html.unwrap_or_default());
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src {}/media/; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
        inbox.facts.daemon_url
    );
    let policy = HeaderValue::try_from(policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; sandbox"));
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::X_FRAME_OPTIONS,
            HeaderValue::from_static("SAMEORIGIN"),
        ),
    ];
    (headers, html).into_response()
}

async fn read_index(inbox: &Inbox) -> Result<Vec<Arc<index::Entry>>, Response> {
    let index = inbox.index.clone();
    off_the_loop(move || index.entries()).await
}

async fn read_mail(entry: Arc<index::Entry>) -> Result<mail::Mail, Response> {
    off_the_loop(move || Ok(mail::Mail::read(&std::fs::read(&entry.path)?))).await
}

/// Reads files on a thread of their own.
async fn off_the_loop<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Response> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let words = format!("The inbox can't be read: {}.\n", crate::format::io(&error));
            Err((StatusCode::INTERNAL_SERVER_ERROR, words).into_response())
        }
        Err(_) => Err((
            StatusCode::INTERNAL_SERVER_ERROR,
            "The inbox can't be read.\n",
        )
            .into_response()),
    }
}

async fn style_sheet(State(inbox): State<Arc<Inbox>>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, inbox.style.clone())
}

async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], page::ICON_SVG)
}

async fn missing() -> Response {
    (
        StatusCode::NOT_FOUND,
        "There is no such mail. The list is at /\n",
    )
        .into_response()
}

/// Adds the headers of all our pages; here a frame of our own is allowed too.
async fn strict(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in page::HEADERS {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    if headers
        .get(header::CONTENT_SECURITY_POLICY)
        .is_some_and(|v| v == page::CSP)
    {
        let with_frame = format!("{}; frame-src 'self'", page::CSP);
        if let Ok(value) = HeaderValue::try_from(with_frame) {
            headers.insert(header::CONTENT_SECURITY_POLICY, value);
        }
    }
    response
}

#[cfg(test)]
mod tests;
