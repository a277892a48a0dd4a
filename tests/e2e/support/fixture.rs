//! A newsletter with a database, readers and a sender.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use letterpress::app::clock;
use letterpress::delivery::{self, Relay, Settings};
use letterpress::link::Links;
use letterpress::link::token::KeyRing;
use letterpress::model::clock::Clock;
use letterpress::model::delivery::State;
use letterpress::model::list::Mailbox;
use letterpress::model::rendered::{Context, FORMAT, MergeField, Piece};
use letterpress::model::sending::IssueState;
use letterpress::model::subscription::{Consent, ConsentMethod};
use letterpress::model::waiting::Reason;
use letterpress::model::{Address, IssueId, List, ListId, Rendered, SharedClock, SubscriberId};
use letterpress::pace::{DomainLimits, Limits, Pacing, Section};
use letterpress::smtp::{Endpoint, Pipelining, Timeouts, Tls};
use letterpress::store::Store;
use letterpress::store::deliveries::DeliveryRow;
use letterpress::store::issues::{IssueRow, NewIssue, Queueing};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::Server;

/// How long a condition is waited for, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Newsletter {
    _dir: TempDir,
    pub store: Store,
    pub list: ListId,
    pub settings: Settings,
    pub listing: List,
    pub links: Links,
    pub clock: SharedClock,
    pub readers: Vec<String>,
}

/// The machine's clock, set to another time.
pub(crate) struct Shifted {
    machine: SharedClock,
    by_ms: AtomicI64,
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        self.machine.now() + jiff::SignedDuration::from_millis(self.by_ms.load(Ordering::SeqCst))
    }

    fn random(&self, bytes: &mut [u8]) {
        self.machine.random(bytes);
    }
}

impl Shifted {
    /// The machine's own time, until another is set.
    pub(crate) fn new() -> Arc<Shifted> {
        Arc::new(Shifted {
            machine: clock::machine(),
            by_ms: AtomicI64::new(0),
        })
    }

    pub(crate) fn set(&self, text: &str) {
        let to: Timestamp = text.parse().unwrap();
        let by = to.as_millisecond() - self.machine.now().as_millisecond();
        self.by_ms.store(by, Ordering::SeqCst);
    }

    pub(crate) fn forward(&self, hours: i64) {
        self.by_ms.fetch_add(hours * 3_600_000, Ordering::SeqCst);
    }
}

/// A running sender.
pub(crate) struct Sender {
    stop: CancellationToken,
    task: JoinHandle<letterpress::store::Result<()>>,
}

impl Sender {
    /// As SIGTERM does.
    pub(crate) async fn stop(self) {
        self.ask_to_stop();
        self.task.await.unwrap().unwrap();
    }

    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.task.is_finished()
    }
}

/// A port at which nobody listens, kept from everybody else for as long as the socket is held.
pub(crate) fn silent_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn relay(address: SocketAddr) -> Relay {
    Relay {
        name: "main".into(),
        endpoint: Endpoint {
            host: address.ip().to_string(),
            port: address.port(),
            tls: Tls::None,
            ca_file: None,
            login: None,
            ehlo_name: None,
            pipelining: Pipelining::Standard,
            messages_per_connection: 500,
            timeouts: Timeouts::default(),
        },
        connections: 4,
        messages_per_minute: 0,
        weight: 1,
        dkim: Default::default(),
        warm_up: None,
    }
}

fn listing() -> List {
    let address = |text| Address::parse(text).unwrap();
    let from = Mailbox {
        name: "Editor".into(),
        address: address("editor@letters.example"),
    };
    List {
        unsubscribe_mailto: address("leave@letters.example"),
        ..List::new("weekly", "The Weekly Proof", from)
    }
}

pub(crate) fn rendered(words: &str) -> Rendered {
    let name = |context| Piece::Field {
        field: MergeField::Name {
            default: "reader".into(),
        },
        context,
    };
    Rendered {
        format: FORMAT,
        subject: vec![Piece::Text("A first proof".into())],
        html: vec![
            Piece::Text(format!("<p>{words} ")),
            name(Context::Html),
            Piece::Text("</p>\n".into()),
        ],
        text: vec![
            Piece::Text(format!("{words} ")),
            name(Context::Text),
            Piece::Text("\n".into()),
        ],
        language: "en".into(),
        date: None,
    }
}

/// The subject of an issue's mails, by which they are told from those of others.
pub(crate) fn subject(slug: &str) -> String {
    format!("Proof {slug}")
}

impl Newsletter {
    /// A newsletter to so many readers, by that server.
    pub(crate) async fn new(server: &Server, readers: usize) -> Newsletter {
        Newsletter::at(server.address, readers).await
    }

    pub(crate) async fn at(address: SocketAddr, readers: usize) -> Newsletter {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("letterpress.db"))
            .await
            .unwrap();
        let clock = clock::machine();
        let list = store
            .ensure_lists(&["weekly".into()], clock.now())
            .await
            .unwrap()["weekly"];
        let mut newsletter = Newsletter {
            store,
            list,
            settings: Settings {
                relays: vec![relay(address)],
                batch_size: 100,
                pause_between_batches: Duration::ZERO,
                first_retry: Duration::from_millis(300),
                longest_retry: Duration::from_millis(600),
                give_up_after: Duration::from_secs(3600),
                hold_when_late: Duration::from_secs(3600),
                pacing: Pacing::default(),
                dkim: dir.path().join("dkim"),
            },
            listing: listing(),
            links: Links::new(
                "https://letters.example",
                KeyRing::new(vec![(1, vec![7; 32])]).unwrap(),
            ),
            clock,
            readers: Vec::new(),
            _dir: dir,
        };
        for i in 0..readers {
            newsletter
                .reader(
                    &format!("reader{i}@readers.example"),
                    &format!("Reader {i}"),
                )
                .await;
        }
        newsletter
    }

    pub(crate) async fn reader(&mut self, email: &str, name: &str) {
        let email = Address::parse(email).unwrap();
        self.store
            .add(self.list, &email, name, self.consent())
            .await
            .unwrap();
        self.readers.push(email.to_string());
    }

    pub(crate) fn consent(&self) -> Consent {
        Consent {
            at: self.clock.now(),
            how: ConsentMethod::Command,
            network: None,
        }
    }

    /// Starts the sender.
    pub(crate) fn serve(&self) -> Sender {
        let stop = CancellationToken::new();
        let lists = HashMap::from([(self.list, self.listing.clone())]);
        let running = delivery::run(
            self.store.clone(),
            self.settings.clone(),
            lists,
            self.links.clone(),
            self.clock.clone(),
            stop.clone(),
        );
        Sender {
            stop,
            task: tokio::spawn(running),
        }
    }

    /// Queues an issue under a number, due now.
    pub(crate) async fn send(&self, number: u32) -> IssueId {
        let now = self.clock.now();
        let slug = format!("{number:03}");
        let content = Rendered {
            subject: vec![Piece::Text(subject(&slug))],
            ..rendered(&"Good morning. ".repeat(30))
        };
        let issue = NewIssue {
            number: Some(number),
            title: "A first proof".into(),
            file: PathBuf::from(format!("/letter/issues/{slug}.md")),
            ..NewIssue::new(self.list, slug, content, now)
        };
        let Queueing::Queued(id) = self.store.queue_issue(issue).await.unwrap() else {
            panic!("not queued")
        };
        self.store
            .start_due(now, Duration::from_secs(3600))
            .await
            .unwrap();
        id
    }

    pub(crate) async fn resume(&self, issue: IssueId) {
        let now = self.clock.now();
        self.store.resume(issue, now).await.unwrap();
    }

    pub(crate) async fn cancel(&self, issue: IssueId) {
        let now = self.clock.now();
        self.store.cancel(issue, now).await.unwrap();
    }

    pub(crate) async fn retry(&self, issue: IssueId, state: State) {
        let now = self.clock.now();
        self.store.retry(issue, state, now).await.unwrap();
    }

    /// A reader unsubscribes.
    pub(crate) async fn leave(&self, email: &str) {
        let email = Address::parse(email).unwrap();
        self.store
            .remove(Some(self.list), &email, self.consent())
            .await
            .unwrap();
    }

    /// Limits what one provider gets; the others keep the defaults.
    pub(crate) fn limit_provider(&mut self, name: &str, limits: Limits) {
        let section = Section {
            name: name.into(),
            domains: Vec::new(),
            limits,
        };
        self.settings.pacing.domains = DomainLimits::new(vec![section], Limits::default());
    }

    pub(crate) async fn row(&self, issue: IssueId) -> IssueRow {
        let row = self.store.issue(issue).await.unwrap().unwrap();
        assert_eq!(
            row.totals.planned(),
            if row.fanout_after.is_none() {
                self.readers.len() as u64
            } else {
                0
            }
        );
        row
    }

    pub(crate) async fn rows(&self, issue: IssueId) -> Vec<DeliveryRow> {
        self.store
            .deliveries(issue, None, SubscriberId(0), 10_000)
            .await
            .unwrap()
    }

    /// One reader's row.
    pub(crate) async fn fate(&self, issue: IssueId, email: &str) -> DeliveryRow {
        self.rows(issue)
            .await
            .into_iter()
            .find(|row| row.email == email)
            .unwrap()
    }

    /// Waits until an issue is paused and no mail of it is in flight.
    pub(crate) async fn paused(&self, issue: IssueId) -> IssueRow {
        self.until(issue, "the pause", |row| {
            is_paused(row) && row.totals.sending == 0
        })
        .await
    }

    /// Waits until a condition holds of the issue's row.
    pub(crate) async fn until(
        &self,
        issue: IssueId,
        what: &str,
        holds: impl Fn(&IssueRow) -> bool,
    ) -> IssueRow {
        let end = Instant::now() + PATIENCE;
        loop {
            let row = self.row(issue).await;
            if holds(&row) {
                return row;
            }
            assert!(Instant::now() < end, "waited in vain for {what}: {row:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A pause that somebody asked for.
pub(crate) fn by_author() -> Reason {
    Reason::PausedByUser {
        by: "anna".into(),
        at: Timestamp::UNIX_EPOCH,
    }
}

/// Whether an issue stands still until its author acts.
pub(crate) fn is_paused(row: &IssueRow) -> bool {
    row.state == IssueState::Paused
}

/// Whether the reason why an issue waits holds these words.
pub(crate) fn says(words: &str) -> impl Fn(&IssueRow) -> bool {
    move |row| {
        row.reason
            .as_ref()
            .is_some_and(|reason| reason.to_string().contains(words))
    }
}
