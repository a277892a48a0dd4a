//! What the pages behind signed links share: from a token to its person and list.
//!
//! The token in the address is the only authority. It names its purpose, so a link works on its own page alone; a
//! link from a test copy opens a page and never changes anything.

use super::Site;
use super::client::Client;
use super::error::Problem;
use super::page::{Plain, answer};
use crate::model::rendered::Purpose;
use crate::model::subscription::{Consent, ConsentMethod};
use crate::model::{Address, List, ListId, SubscriberId};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

/// Whose link it is.
pub(super) enum Holder<'a> {
    Person(Person<'a>),
    /// The link of a test copy or a preview.
    TestCopy,
}

/// A person, and a list.
pub(super) struct Person<'a> {
    pub(super) list_id: ListId,
    /// `None` where the settings no longer name the list.
    pub(super) list: Option<&'a List>,
    pub(super) id: SubscriberId,
    /// `None` where the person is no longer known.
    pub(super) email: Option<Address>,
}

/// Reads the token in an address, which must be for this purpose.
///
/// # Errors
/// [`Problem::BadLink`], or what the store says.
pub(super) async fn holder<'a>(
    site: &'a Site,
    token: &str,
    purpose: Purpose,
) -> Result<Holder<'a>, Problem> {
    let claim = site.links.verify_in(token).map_err(|_| Problem::BadLink)?;
    if claim.purpose == Purpose::Inert {
        return Ok(Holder::TestCopy);
    }
    if claim.purpose != purpose {
        return Err(Problem::BadLink);
    }
    let email = site
        .store
        .subscriber(claim.subscriber)
        .await?
        .map(|s| s.email);
    let list = site.list(claim.list);
    Ok(Holder::Person(Person {
        list_id: claim.list,
        list,
        id: claim.subscriber,
        email,
    }))
}

impl Person<'_> {
    /// The address, where the person is known.
    ///
    /// # Errors
    /// [`Problem::Gone`].
    pub(super) fn email(&self) -> Result<&str, Problem> {
        self.email
            .as_ref()
            .map(Address::as_str)
            .ok_or(Problem::Gone)
    }

    /// The list, where the settings still name it.
    ///
    /// # Errors
    /// [`Problem::Closed`].
    pub(super) fn list(&self) -> Result<&List, Problem> {
        self.list.ok_or(Problem::Closed)
    }
}

impl Site {
    /// The record of a person's consent, given now.
    pub(super) fn consent(&self, how: ConsentMethod, client: Client) -> Consent {
        Consent {
            at: self.clock.now(),
            how,
            network: Some(client.0.to_string()),
        }
    }

    /// The page behind every link of a test copy, whatever is asked of it.
    pub(super) fn test_copy(&self) -> Response {
        let phrases = self.phrases(None);
        private(answer(
            StatusCode::OK,
            &Plain {
                shell: self.shell(phrases.test_copy_title, None),
                figure: None,
                headline: phrases.test_copy,
                lede: phrases.test_copy_lede,
                lede_lang: None,
                again: false,
            },
        ))
    }
}

/// Keeps a page that is about one person out of search engines.
pub(super) fn private(mut response: Response) -> Response {
    response.headers_mut().insert(
        "x-robots-tag",
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}
