//! What can go wrong in a request, and the one place that gives it a status, a code and a text.
//!
//! An endpoint returns a [`Problem`]; `layers` shows it as a page or as JSON. Store failures are logged here, once.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::format;
use crate::phrases::Phrases;
use crate::store::StoreError;

/// Why a request was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Nothing has this address.
    NotFound,
    /// A signed link that is incomplete or was not made here.
    BadLink,
    /// The person of a valid link no longer exists.
    Gone,
    /// The list of a valid link is no longer in the settings.
    Closed,
    /// A confirmation link that has expired.
    Expired,
    /// An unsubscription that is too old to be undone.
    TooLate,
    /// A body that can't be read at all, and why.
    Malformed(String),
    /// A field whose value is not valid, and what to change.
    Invalid { field: &'static str, why: String },
    /// No list has this key.
    UnknownList,
    /// There are several lists, and none was named.
    WhichList,
    /// Too many sign-ups from one network, and how long to wait.
    TooMany(Duration),
    /// Too many sign-ups in all, and how long to wait.
    Crowded(Duration),
    /// Neither a form nor JSON.
    WrongType,
    /// The address does not accept this method.
    WrongMethod,
    /// The body is too large.
    TooLarge,
    /// The request took too long.
    TooSlow,
    /// The database can't be written for now.
    Busy,
    /// A fault on our side.
    Broken,
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        if error.is_passing() {
            tracing::warn!("a request failed for now: {error}");
            Problem::Busy
        } else {
            tracing::error!("a request failed: {error}");
            Problem::Broken
        }
    }
}

/// How a problem is explained to a person.
pub(super) struct Explanation {
    /// The heading of its page.
    pub(super) headline: &'static str,
    /// What happened and what to do: the text of the page, or the message in JSON.
    pub(super) lede: String,
    /// The language of that text, where it is not the reader's.
    pub(super) lede_lang: Option<&'static str>,
    /// Whether the page links to the sign-up form.
    pub(super) again: bool,
}

impl Problem {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Problem::NotFound | Problem::BadLink | Problem::UnknownList => StatusCode::NOT_FOUND,
            Problem::Gone | Problem::Closed | Problem::Expired | Problem::TooLate => {
                StatusCode::GONE
            }
            Problem::Malformed(_) => StatusCode::BAD_REQUEST,
            Problem::Invalid { .. } | Problem::WhichList => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::TooMany(_) | Problem::Crowded(_) => StatusCode::TOO_MANY_REQUESTS,
            Problem::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Problem::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Problem::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Problem::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The problem that a status of the framework stands for.
    pub(super) fn of_status(status: StatusCode) -> Option<Problem> {
        Some(match status {
            StatusCode::METHOD_NOT_ALLOWED => Problem::WrongMethod,
            StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
            StatusCode::REQUEST_TIMEOUT => Problem::TooSlow,
            StatusCode::NOT_FOUND => Problem::NotFound,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::WrongType,
            StatusCode::BAD_REQUEST => {
                Problem::Malformed("the address of this page can't be read".into())
            }
            other if other.is_server_error() => Problem::Broken,
            _ => return None,
        })
    }

    /// The code for programs; it never changes.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Problem::NotFound => "not_found",
            Problem::BadLink => "bad_link",
            Problem::Gone => "gone",
            Problem::Closed => "closed",
            Problem::Expired => "expired",
            Problem::TooLate => "too_late",
            Problem::Malformed(_) => "malformed",
            Problem::Invalid { .. } => "invalid",
            Problem::UnknownList => "unknown_list",
            Problem::WhichList => "which_list",
            Problem::TooMany(_) | Problem::Crowded(_) => "too_many",
            Problem::WrongType => "wrong_type",
            Problem::WrongMethod => "wrong_method",
            Problem::TooLarge => "too_large",
            Problem::TooSlow => "too_slow",
            Problem::Busy => "busy",
            Problem::Broken => "broken",
        }
    }

    /// What to tell a person, in their language. What only programs can cause is explained in English.
    pub(super) fn explanation(&self, phrases: Phrases) -> Explanation {
        let say = |headline, lede: &str, again| Explanation {
            headline,
            lede: lede.to_owned(),
            lede_lang: None,
            again,
        };
        let p = phrases;
        match self {
            Problem::NotFound => say(p.not_found, p.not_found_lede, true),
            Problem::BadLink => say(p.bad_link, p.bad_link_lede, false),
            Problem::Gone => say(p.gone, p.gone_lede, true),
            Problem::Closed => say(p.closed, p.closed_lede, false),
            Problem::Expired => say(p.expired, p.expired_lede, true),
            Problem::TooLate => say(p.too_late, p.too_late_lede, true),
            Problem::Malformed(why) => in_english(p, &format::sentence(why)),
            Problem::Invalid { why, .. } => say(p.invalid, why, false),
            Problem::UnknownList => say(p.unknown_list, p.unknown_list_lede, true),
            Problem::WhichList => say(p.which_newsletter, p.which_list_lede, false),
            Problem::TooMany(_) => say(p.too_many, p.too_many_lede, false),
            Problem::Crowded(_) => say(p.crowded, p.crowded_lede, false),
            Problem::WrongType => {
                in_english(p, "Send a form or JSON, and name its type in Content-Type.")
            }
            Problem::WrongMethod => say(p.wrong_method, p.wrong_method_lede, false),
            Problem::TooLarge => say(p.too_large, p.too_large_lede, false),
            Problem::TooSlow => say(p.too_slow, p.too_slow_lede, false),
            Problem::Busy => say(p.busy, p.busy_lede, false),
            Problem::Broken => say(p.broken, p.broken_lede, false),
        }
    }
}

/// A request that no browser of a reader sends.
fn in_english(phrases: Phrases, lede: &str) -> Explanation {
    Explanation {
        headline: phrases.malformed,
        lede: lede.to_owned(),
        lede_lang: (phrases.language() != "en").then_some("en"),
        again: false,
    }
}

/// An empty body with the status; `layers` replaces it by what the client reads.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
