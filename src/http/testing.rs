//! What the tests of this room share: a site with a real store in a folder of its own, and a client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::{Settings, Site, router};
use crate::link::Links;
use crate::link::token::KeyRing;
use crate::model::clock::Clock;
use crate::model::list::Mailbox;
use crate::model::rendered::Purpose;
use crate::model::subscription::{Consent, ConsentMethod, SubscriptionState};
use crate::model::{Address, List, ListId, Rendered, SubscriberId};
use crate::notice::Confirmation;
use crate::store::Store;
use crate::store::testing::open;

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const JSON: &str = "application/json";

/// A clock that stands still until it is moved.
pub(super) struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A site of one list, `weekly`, or of more.
pub(super) struct Web {
    _dir: TempDir,
    pub(super) store: Store,
    pub(super) links: Links,
    pub(super) lists: HashMap<String, ListId>,
    pub(super) clock: Arc<HandClock>,
    pub(super) site: Arc<Site>,
    router: axum::Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    /// A header's value; empty where it is missing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The words of the first element that a selector finds.
    pub(super) fn text(&self, selector: &str) -> String {
        let page = scraper::Html::parse_document(&self.body);
        let selector = scraper::Selector::parse(selector).unwrap();
        let found = page
            .select(&selector)
            .next()
            .unwrap_or_else(|| panic!("no {selector:?} in {}", self.body));
        found
            .text()
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// How many elements a selector finds.
    pub(super) fn count(&self, selector: &str) -> usize {
        scraper::Html::parse_document(&self.body)
            .select(&scraper::Selector::parse(selector).unwrap())
            .count()
    }

    /// An attribute of the first element that a selector finds.
    pub(super) fn attribute(&self, selector: &str, name: &str) -> String {
        let page = scraper::Html::parse_document(&self.body);
        let found = page
            .select(&scraper::Selector::parse(selector).unwrap())
            .next()
            .unwrap();
        found.value().attr(name).unwrap_or_default().to_owned()
    }
}

pub(super) fn list(key: &str, name: &str) -> List {
    let from = Mailbox {
        name: "Editor".into(),
        address: Address::parse("news@letters.example").unwrap(),
    };
    List {
        promise: "The week's proofs, every Sunday".into(),
        description: "A dozen papers.".into(),
        zone: TimeZone::get("Asia/Tokyo").unwrap(),
        ..List::new(key, name, from)
    }
}

impl Web {
    /// A site of the one list `weekly`.
    pub(super) async fn new() -> Web {
        Web::with(vec![list("weekly", "The Weekly Proof")], &[]).await
    }

    /// A site of these lists. Of those in `removed`, the database knows, but not the settings.
    pub(super) async fn with(lists: Vec<List>, removed: &[&str]) -> Web {
        Web::below("https://letters.example", lists, removed).await
    }

    pub(super) async fn below(public_url: &str, lists: Vec<List>, removed: &[&str]) -> Web {
        let (dir, store) = open().await;
        let clock = Arc::new(HandClock(Mutex::new(
            "2026-11-24T09:14:00Z".parse().unwrap(),
        )));
        let keys: Vec<String> = lists
            .iter()
            .map(|l| l.key.clone())
            .chain(removed.iter().map(|k| (*k).to_owned()))
            .collect();
        let ids = store.ensure_lists(&keys, clock.now()).await.unwrap();
        let links = Links::new(public_url, KeyRing::new(vec![(1, vec![3; 32])]).unwrap());
        let settings = Settings {
            confirmations: lists
                .iter()
                .map(|l| (ids[&l.key], Confirmation::new(l).unwrap()))
                .collect(),
            lists: lists.into_iter().map(|l| (ids[&l.key], l)).collect(),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            cors_origins: vec!["https://blog.example".into()],
        };
        let next = Arc::new(|list: &List, now: Timestamp| {
            list.schedule
                .as_ref()
                .map(|_| (now + SignedDuration::from_hours(24)).to_zoned(list.zone.clone()))
        });
        let site = Site::new(settings, store.clone(), links.clone(), clock.clone(), next);
        Web {
            _dir: dir,
            store,
            links,
            lists: ids,
            clock,
            router: router(site.clone()),
            site,
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        if request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .is_none()
        {
            request
                .extensions_mut()
                .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 77], 5000))));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            bytes: body.into(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub(super) async fn head(&self, path: &str) -> Answer {
        self.send(Request::head(path).body(Body::empty()).unwrap())
            .await
    }

    pub(super) async fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", kind)
            .body(Body::from(body.to_owned()));
        self.send(request.unwrap()).await
    }

    /// Moves the clock on.
    pub(super) fn wait(&self, hours: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_hours(hours);
    }

    /// Somebody who is active on `weekly`.
    pub(super) async fn reader(&self, email: &str) -> SubscriberId {
        self.reader_of("weekly", email).await
    }

    pub(super) async fn reader_of(&self, list: &str, email: &str) -> SubscriberId {
        let email = Address::parse(email).unwrap();
        self.store
            .add(
                self.lists[list],
                &email,
                "",
                self.consent(ConsentMethod::Command),
            )
            .await
            .unwrap();
        self.store
            .find_subscriber(&email)
            .await
            .unwrap()
            .unwrap()
            .id
    }

    /// Somebody who signed up for `weekly` and has not confirmed.
    pub(super) async fn pending(&self, email: &str) -> SubscriberId {
        let email = Address::parse(email).unwrap();
        let quiet = std::time::Duration::from_secs(60);
        let consent = self.consent(ConsentMethod::Form);
        self.store
            .sign_up(
                self.lists["weekly"],
                &email,
                "",
                consent,
                Rendered::empty(),
                quiet,
            )
            .await
            .unwrap();
        self.store
            .find_subscriber(&email)
            .await
            .unwrap()
            .unwrap()
            .id
    }

    fn consent(&self, how: ConsentMethod) -> Consent {
        Consent {
            at: self.clock.now(),
            how,
            network: None,
        }
    }

    pub(super) async fn state(&self, who: SubscriberId) -> SubscriptionState {
        self.store
            .subscriber(who)
            .await
            .unwrap()
            .unwrap()
            .subscriptions[0]
            .state
    }

    /// A path of this site with a token for `weekly`.
    pub(super) fn path(&self, page: &str, purpose: Purpose, who: SubscriberId) -> String {
        format!(
            "/{page}/{}",
            self.links.token(purpose, self.lists["weekly"], who)
        )
    }
}

/// The headers that every answer has.
pub(super) fn is_strict(answer: &Answer) {
    assert_eq!(answer.header("content-security-policy"), crate::page::CSP);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.headers.get("set-cookie").is_none());
    assert_eq!(
        answer.count("script, [style], [onclick], [src^=http], style"),
        0
    );
    assert_eq!(answer.count("h1"), 1);
    assert_eq!(answer.count("main"), 1);
    assert!(answer.count("title") == 1 && answer.attribute("html", "lang") == "en");
}
