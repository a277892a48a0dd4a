//! What can go wrong in a request, and the one place that gives it a status, a code and a text.
//!
//! An endpoint returns a [`Problem`]; `layers` shows it as a page or as JSON. Store failures are logged here, once.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::format;
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

    pub(super) fn explanation(&self) -> Explanation {
        let say = |headline, lede: &str, again| Explanation {
            headline,
            lede: lede.to_owned(),
            again,
        };
        match self {
            Problem::NotFound => say(
                "Page not found",
                "The address may have been cut off by a mail program.",
                true,
            ),
            Problem::BadLink => say(
                "This link is not complete",
                "It may have been cut off by a mail program. Please copy the whole address from the mail.",
                false,
            ),
            Problem::Gone => say(
                "This address is no longer on the list",
                "Nothing was changed, and it will get no further issues.",
                true,
            ),
            Problem::Closed => say(
                "This newsletter is no longer published here",
                "Nothing was changed, and no further issues are sent.",
                false,
            ),
            Problem::Expired => say(
                "This link has expired",
                "The mail was sent too long ago. Sign up again to get a new one.",
                true,
            ),
            Problem::TooLate => say(
                "This can no longer be undone",
                "You unsubscribed too long ago. You can sign up again.",
                true,
            ),
            Problem::Malformed(why) => {
                say("This request can't be read", &format::sentence(why), false)
            }
            Problem::Invalid { why, .. } => say("Please check what you entered", why, false),
            Problem::UnknownList => say(
                "There is no such newsletter here",
                "The address names a newsletter that does not exist.",
                true,
            ),
            Problem::WhichList => say(
                "Which newsletter?",
                "There are several here. Name one in the field “list”.",
                false,
            ),
            Problem::TooMany(_) => say(
                "Too many sign-ups from your network",
                "Please try again in a minute.",
                false,
            ),
            Problem::Crowded(_) => say(
                "Too many sign-ups at the moment",
                "Your address was not added. Please try again later.",
                false,
            ),
            Problem::WrongType => say(
                "This request can't be read",
                "Send a form or JSON, and name its type in Content-Type.",
                false,
            ),
            Problem::WrongMethod => say(
                "This does not work here",
                "This address does not accept requests of this kind.",
                false,
            ),
            Problem::TooLarge => say(
                "This is too long",
                "A request may have at most 16 KB.",
                false,
            ),
            Problem::TooSlow => say(
                "That took too long",
                "Nothing was changed. Please try again.",
                false,
            ),
            Problem::Busy => say(
                "One moment",
                "The database is busy. Nothing was changed; please try again in a minute.",
                false,
            ),
            Problem::Broken => say(
                "Something went wrong on our side",
                "Nothing was changed. Please try again later; the log has the reason.",
                false,
            ),
        }
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
