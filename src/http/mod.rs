//! The web: pages to subscribe, confirm and unsubscribe, the pictures of issues, and `/healthz`.
//!
//! One file an endpoint; `error` alone gives failures their status and text, and `layers` shows them. `server` accepts
//! connections, and `places` and `metered` keep visitors from using up what the sender needs. GET and
//! HEAD never change anything; a POST behind a signed link acts by the token in its address, so there are no
//! cookies, logins or scripts. No request sends mail: signing up queues a mail in the store. Of a client's
//! address only the network is used; nothing more precise is kept or logged.
//!
//! Rows are `store`'s, tokens `link`'s, the confirmation mail `notice`'s. When the next issue comes is passed in
//! by `app`, since this module does not know the schedule.

mod address;
mod assets;
mod client;
mod confirm;
mod cors;
mod error;
mod healthz;
mod home;
mod layers;
mod limit;
mod media;
mod metered;
mod page;
mod places;
mod rarely;
mod sentence;
mod server;
mod signed;
mod subscribe;
mod turnstile;
mod unconfirmed;
mod undo;
mod unsubscribe;

#[cfg(test)]
mod testing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use axum::routing::get;
use jiff::{Timestamp, Zoned};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use rarely::Rarely;

use crate::link::Links;
use crate::model::network::Cidr;
use crate::model::{List, ListId, SharedClock};
use crate::notice::Confirmation;
use crate::store::Store;

pub(crate) use places::Limits;
pub(crate) use server::serve_router;
pub(crate) use unconfirmed::tidy;

/// The most bytes of a request's body; a form of one field needs far less.
const BODY_MAX: usize = 16 * 1024;
/// How long one request may take, once its head is read.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a proxy is warned of that is not trusted.
const WARN_OF_PROXY_EVERY: Duration = Duration::from_secs(3600);
/// How often refused sign-ups are warned of.
const WARN_OF_REFUSALS_EVERY: Duration = Duration::from_secs(60);
/// How long somebody can undo an unsubscription: 30 days.
const UNDO_WITHIN: Duration = Duration::from_secs(30 * 24 * 3600);

/// When the next issue of a list is sent, as seen from an instant; `None` without a schedule.
pub(crate) type NextLetter = Arc<dyn Fn(&List, Timestamp) -> Option<Zoned> + Send + Sync>;

/// The settings of the web pages.
pub(crate) struct Settings {
    /// Every list of the settings with its row, in the order in which they are shown.
    pub lists: Vec<(ListId, List)>,
    /// Proxies whose `X-Forwarded-For` and `Forwarded` are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Origins of sites whose scripts may call `POST /subscribe`; `*` stands for all.
    pub cors_origins: Vec<String>,
    /// The confirmation mail of each list.
    pub confirmations: HashMap<ListId, Confirmation>,
}

/// What every endpoint needs.
pub(crate) struct Site {
    store: Store,
    links: Links,
    clock: SharedClock,
    settings: Settings,
    next_letter: NextLetter,
    limiter: limit::Limiter,
    unconfirmed: unconfirmed::Unconfirmed,
    shelf: media::Shelf,
    /// When these warnings were last logged.
    untrusted_proxy: Rarely,
    refused_sign_up: Rarely,
    crowded: Rarely,
    /// The path of `public_url`, without a slash at its end: what addresses within a page begin with.
    base: String,
}

impl Site {
    /// A site below the links' `public_url`.
    pub(crate) fn new(
        settings: Settings,
        store: Store,
        links: Links,
        clock: SharedClock,
        next_letter: NextLetter,
    ) -> Arc<Site> {
        let base = Url::parse(links.public_url())
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default();
        let limiter = limit::Limiter::new();
        Arc::new(Site {
            store,
            links,
            clock,
            settings,
            next_letter,
            limiter,
            unconfirmed: unconfirmed::Unconfirmed::default(),
            shelf: media::Shelf::default(),
            untrusted_proxy: Rarely::every(WARN_OF_PROXY_EVERY),
            refused_sign_up: Rarely::every(WARN_OF_REFUSALS_EVERY),
            crowded: Rarely::every(WARN_OF_REFUSALS_EVERY),
            base,
        })
    }

    /// The list of a row; `None` where the settings no longer name it.
    fn list(&self, id: ListId) -> Option<&List> {
        self.settings
            .lists
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, list)| list)
    }

    /// The list of a key.
    fn list_by_key(&self, key: &str) -> Option<(ListId, &List)> {
        self.settings
            .lists
            .iter()
            .find(|(_, list)| list.key == key)
            .map(|(id, list)| (*id, list))
    }

    /// The only list, where there is only one.
    fn only_list(&self) -> Option<(ListId, &List)> {
        match self.settings.lists.as_slice() {
            [(id, list)] => Some((*id, list)),
            _ => None,
        }
    }
}

/// The routes, with the layers around them.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let base = site.base.clone();
    // Around the routes, since a layer of theirs comes after the choice of the route.
    let bring_into_form = move |mut request: Request| {
        if let Some(uri) = address::known(request.uri(), &base) {
            *request.uri_mut() = uri;
        }
        std::future::ready(request)
    };
    Router::new()
        .fallback_service(routes(site))
        .layer(map_request(bring_into_form))
}

fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/healthz", get(healthz::show))
        .route("/subscribe", get(subscribe::show).post(subscribe::take))
        .route("/confirm/{token}", get(confirm::show).post(confirm::act))
        .route(
            "/unsubscribe/{token}",
            get(unsubscribe::show).post(unsubscribe::act),
        )
        .route("/undo/{token}", get(undo::show).post(undo::act))
        .route("/media/{file}", get(media::show))
        .route("/icon.svg", get(assets::icon))
        .route(&assets::style_path(), get(assets::style))
        .fallback(home::missing)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST_TIMEOUT,
        ))
        .layer(from_fn_with_state(site.clone(), layers::show_problems))
        .layer(from_fn_with_state(site.clone(), cors::allow))
        .layer(from_fn(layers::add_headers))
        .with_state(site)
}

/// Answers until `shutdown`, then lets requests under way end.
///
/// # Errors
/// When the listener can no longer be used.
pub(crate) async fn serve(
    listener: TcpListener,
    site: Arc<Site>,
    limits: Limits,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    serve_router(listener, router(site), limits, shutdown).await
}
