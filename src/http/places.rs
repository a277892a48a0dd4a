//! Who may be connected at once, and who gives way to a newcomer.
//!
//! An open connection costs a file descriptor; only one that has begun to ask takes a seat, which costs memory. Seats are
//! limited, in all and for each network. Where none is free, the newcomer does not stay outside: the connection that does
//! least with its seat is closed, such as one that is kept open without asking, or takes its answer very slowly. Requests
//! that are being handled and answers that make progress are left alone, and so a crowd delays itself.
//!
//! What it leaves to others: accepting and closing (`server`), and noticing what a connection does (`metered`).

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::turnstile::{Ticket, Turnstile};
use crate::model::network::Cidr;

/// How many may be served at once, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The most open connections.
    pub connections: usize,
    /// The most that are served at once.
    pub seats: usize,
    /// The most of one network (/24 of IPv4, /64 of IPv6) that are served at once.
    pub seats_of_network: usize,
    /// The most of one network that are sent pictures at once: the rest stays free for pages and unsubscribing.
    pub pictures_of_network: usize,
    /// Proxies, behind which everybody has the same address: the limits of a network do not count for them.
    pub proxies: Vec<Cidr>,
    /// How long an answer may make no progress.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 896,
            seats: 512,
            seats_of_network: 64,
            pictures_of_network: 48,
            proxies: Vec::new(),
            patience: Duration::from_secs(15),
        }
    }
}

impl Limits {
    /// Limits for a number of file descriptors that are left for visitors.
    pub(crate) fn with_descriptors(descriptors: u64, proxies: Vec<Cidr>) -> Limits {
        let connections = usize::try_from(descriptors).map_or(MOST, |n| n.clamp(LEAST, MOST));
        let defaults = Limits::default();
        Limits {
            connections,
            seats: defaults.seats.min(connections),
            proxies,
            ..defaults
        }
    }
}

/// How long a connection may be open before it asks, and the milliseconds by which that is spread.
const SILENCE: Duration = Duration::from_secs(10);
const SPREAD: (u64, u64) = (10_000, 37);
/// As many connections are allowed however few descriptors there are.
const LEAST: usize = 16;
/// More open connections than this gain nothing: a machine that serves more has a proxy in front.
const MOST: usize = 8_192;
/// How old a handler must be to give way: only one that waits for a body takes so long.
const HANDLER_GIVES_WAY_AFTER: Duration = Duration::from_secs(5);
/// An answer gives way of which nothing was taken for so long. What the system took off our hands at first tells nothing of
/// its reader.
const STILL_GIVES_WAY_AFTER: Duration = Duration::from_secs(1);
const UNREAD_GIVES_WAY_AFTER: Duration = Duration::from_millis(300);
/// An answer that is so old gives way where fewer bytes per second were taken of it.
const SLOW_GIVES_WAY_AFTER: Duration = Duration::from_secs(8);
const SLOW_BYTES_PER_S: u64 = 16 * 1024;
/// How long somebody who has just got a seat may take to ask.
const ASKS_WITHIN: Duration = Duration::from_secs(1);
/// How often the next who waits for a seat looks again for one who can give way, at first and at last.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LOOK_AGAIN_MAX: Duration = Duration::from_millis(500);
/// The least time between two for whom others give way after they have waited.
const ASK_AGAIN: Duration = Duration::from_millis(30);

/// Where a connection comes from, as far as limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    V4([u8; 3]),
    V6([u16; 4]),
    /// A trusted proxy.
    Proxy,
}

impl Origin {
    fn of(address: IpAddr, proxies: &[Cidr]) -> Origin {
        if proxies.iter().any(|block| block.contains(address)) {
            return Origin::Proxy;
        }
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Origin::V4([a, b, c])
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Origin::V6([a, b, c, d])
            }
        }
    }
}

/// What a connection is doing; the order is that of giving way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    /// It is open and asks nothing, or has not finished asking.
    Nothing,
    /// It takes its answer slowly or not at all.
    Dawdling,
    /// It waits for a seat.
    Queueing,
    /// It has been handled for so long that it can only be waiting for its own body.
    Lingering,
    /// It is handled, or takes its answer: it stays.
    Busy,
}

/// An open connection.
pub(super) struct Connection {
    number: u64,
    origin: Origin,
    began: Instant,
    /// Cancelled when it has to give way.
    leave: CancellationToken,
    is_queueing: AtomicBool,
    has_seat: AtomicBool,
    is_handled: AtomicBool,
    has_answer: AtomicBool,
    /// A write waits for the client to take more.
    is_blocked: AtomicBool,
    /// The client took something after a write had waited for it.
    has_read: AtomicBool,
    /// When it began what it is doing, in milliseconds after `began`.
    since_ms: AtomicU64,
    /// When the client last took something, likewise.
    took_ms: AtomicU64,
    /// The bytes of its answer that were taken so far.
    answered_bytes: AtomicU64,
}

impl Connection {
    fn new(number: u64, origin: Origin) -> Connection {
        Connection {
            number,
            origin,
            began: Instant::now(),
            leave: CancellationToken::new(),
            is_queueing: AtomicBool::new(false),
            has_seat: AtomicBool::new(false),
            is_handled: AtomicBool::new(false),
            has_answer: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
            has_read: AtomicBool::new(false),
            since_ms: AtomicU64::new(0),
            took_ms: AtomicU64::new(0),
            answered_bytes: AtomicU64::new(0),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn begin(&self) {
        let now = self.now_ms();
        self.since_ms.store(now, Ordering::Relaxed);
        self.took_ms.store(now, Ordering::Relaxed);
        self.answered_bytes.store(0, Ordering::Relaxed);
    }

    /// A request arrived whole but for its body.
    pub(super) fn is_asked(&self) {
        self.begin();
        self.is_handled.store(true, Ordering::Relaxed);
    }

    /// Its answer begins.
    pub(super) fn answers(&self) {
        self.begin();
        self.has_answer.store(true, Ordering::Relaxed);
        self.is_handled.store(false, Ordering::Relaxed);
    }

    /// Its answer has no further bytes, though some may still have to be taken.
    pub(super) fn has_answered(&self) {
        self.has_answer.store(false, Ordering::Relaxed);
        self.is_handled.store(false, Ordering::Relaxed);
        if !self.is_blocked.load(Ordering::Relaxed) {
            self.begin();
        }
    }

    /// The client took some bytes.
    pub(super) fn took(&self, bytes: usize) {
        if self.is_blocked.swap(false, Ordering::Relaxed) {
            self.has_read.store(true, Ordering::Relaxed);
        }
        self.took_ms.store(self.now_ms(), Ordering::Relaxed);
        self.answered_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The client takes no more for now.
    pub(super) fn blocks(&self) {
        self.is_blocked.store(true, Ordering::Relaxed);
    }

    /// How long it may say nothing. Those that came together do not leave together, since they would all come again.
    pub(super) fn may_be_silent_for(&self) -> Duration {
        SILENCE + Duration::from_millis(self.number.wrapping_mul(SPREAD.1) % SPREAD.0)
    }

    /// Cancelled when it has to give way to another.
    pub(super) fn leave(&self) -> &CancellationToken {
        &self.leave
    }

    /// What it does, and for how long.
    fn doing(&self) -> (Doing, Duration) {
        let now = self.now_ms();
        let after = |time: &AtomicU64| {
            Duration::from_millis(now.saturating_sub(time.load(Ordering::Relaxed)))
        };
        let age = after(&self.since_ms);
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let doing = if is(&self.is_queueing) {
            Doing::Queueing
        } else if is(&self.is_handled) {
            if age >= HANDLER_GIVES_WAY_AFTER {
                Doing::Lingering
            } else {
                Doing::Busy
            }
        } else if is(&self.has_answer) || is(&self.is_blocked) {
            let bytes = u128::from(self.answered_bytes.load(Ordering::Relaxed));
            let per_s = bytes * 1000 / age.as_millis().max(1);
            let still_for = if is(&self.has_read) {
                STILL_GIVES_WAY_AFTER
            } else {
                UNREAD_GIVES_WAY_AFTER
            };
            let is_still = is(&self.is_blocked) && after(&self.took_ms) >= still_for;
            let is_slow = age >= SLOW_GIVES_WAY_AFTER && per_s < u128::from(SLOW_BYTES_PER_S);
            if is_still || is_slow {
                Doing::Dawdling
            } else {
                Doing::Busy
            }
        } else if is(&self.has_seat) && age < ASKS_WITHIN {
            Doing::Busy
        } else {
            Doing::Nothing
        };
        (doing, age)
    }
}

/// The connections of one origin.
struct Group {
    /// By number, hence the oldest first.
    open: BTreeMap<u64, Arc<Connection>>,
    seats: Arc<Turnstile>,
    pictures: Arc<Turnstile>,
}

/// All connections.
pub(super) struct Places {
    limits: Limits,
    seats: Arc<Turnstile>,
    groups: Mutex<HashMap<Origin, Group>>,
    /// How many are open, and how many ever were.
    open: AtomicU64,
    came: AtomicU64,
}

/// A connection's entry; dropping it frees its place.
pub(super) struct Entry {
    places: Arc<Places>,
    pub(super) connection: Arc<Connection>,
}

/// A seat; dropping it frees it.
pub(super) struct Seat {
    _tickets: Vec<Ticket>,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Arc<Places> {
        Arc::new(Places {
            seats: Turnstile::new(limits.seats),
            groups: Mutex::default(),
            open: AtomicU64::new(0),
            came: AtomicU64::new(0),
            limits,
        })
    }

    /// How long an answer may make no progress.
    pub(super) fn patience(&self) -> Duration {
        self.limits.patience
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<Origin, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are as many connections as may be.
    pub(super) fn are_taken(&self) -> bool {
        self.open.load(Ordering::Relaxed) >= self.limits.connections as u64
    }

    /// Notes a new connection. Where there are too many, another one gives way; `None` where none can.
    pub(super) fn enter(self: &Arc<Places>, peer: SocketAddr) -> Option<Entry> {
        if self.are_taken() && !self.make_room() {
            return None;
        }
        let origin = Origin::of(peer.ip(), &self.limits.proxies);
        let number = self.came.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(number, origin));
        self.open.fetch_add(1, Ordering::Relaxed);
        let of_network = |limit: usize| match origin {
            Origin::Proxy => Turnstile::new(self.limits.seats),
            _ => Turnstile::new(limit),
        };
        self.groups()
            .entry(origin)
            .or_insert_with(|| Group {
                open: BTreeMap::new(),
                seats: of_network(self.limits.seats_of_network),
                pictures: of_network(self.limits.pictures_of_network),
            })
            .open
            .insert(connection.number, connection.clone());
        Some(Entry {
            places: self.clone(),
            connection,
        })
    }

    /// Closes the connection that does least, of the network with the most connections; `false` where all are busy.
    pub(super) fn make_room(&self) -> bool {
        let groups = self.groups();
        // Behind a proxy there are many people: it gives way last.
        let mut all: Vec<&Group> = groups.values().collect();
        let weight = |group: &&Group| {
            let first = group.open.values().next();
            let is_proxy = first.is_some_and(|c| c.origin == Origin::Proxy);
            (is_proxy, usize::MAX - group.open.len())
        };
        all.sort_by_cached_key(weight);
        all.into_iter()
            .any(|group| give_way(group.open.values(), Doing::Lingering))
    }

    fn group(&self, origin: Origin) -> Option<(Arc<Turnstile>, Arc<Turnstile>)> {
        let groups = self.groups();
        let group = groups.get(&origin)?;
        Some((group.seats.clone(), group.pictures.clone()))
    }

    /// Has the connection of this network give way that does least with its seat, where there is one.
    fn make_room_within(&self, origin: Origin) -> bool {
        let groups = self.groups();
        let Some(group) = groups.get(&origin) else {
            return false;
        };
        let has_seat = |c: &&Arc<Connection>| c.has_seat.load(Ordering::Relaxed);
        give_way(group.open.values().filter(has_seat), Doing::Lingering)
    }
}

/// Closes the one of these connections that does least and has done so longest, if it does no more than `most`.
fn give_way<'c>(open: impl Iterator<Item = &'c Arc<Connection>>, most: Doing) -> bool {
    let least = open
        .filter(|connection| !connection.leave.is_cancelled())
        .map(|connection| (connection.doing(), connection))
        .filter(|((doing, _), _)| *doing <= most)
        .min_by_key(|((doing, age), _)| (*doing, std::cmp::Reverse(*age)));
    match least {
        Some((_, connection)) => {
            connection.leave.cancel();
            true
        }
        None => false,
    }
}

impl Entry {
    /// Waits for a seat; others of its network give way where they can. `None` where it has to leave meanwhile.
    pub(super) async fn seat(&self, wants_picture: bool) -> Option<Seat> {
        let queueing = Queueing(&self.connection);
        self.connection.is_queueing.store(true, Ordering::Relaxed);
        let seated = self
            .connection
            .leave
            .run_until_cancelled(self.tickets(wants_picture))
            .await
            .flatten();
        self.connection
            .has_seat
            .store(seated.is_some(), Ordering::Relaxed);
        drop(queueing);
        seated.map(|tickets| Seat { _tickets: tickets })
    }

    async fn tickets(&self, wants_picture: bool) -> Option<Vec<Ticket>> {
        let origin = self.connection.origin;
        let (seats, pictures) = self.places.group(origin)?;
        let mut tickets = Vec::with_capacity(3);
        if wants_picture {
            tickets.push(pictures.wait().ticket.await.ok()?);
        }
        let make = || {
            self.places.make_room_within(origin);
        };
        tickets.push(take(seats, make).await?);
        let make = || {
            self.places.make_room();
        };
        tickets.push(take(self.places.seats.clone(), make).await?);
        Some(tickets)
    }
}

/// Takes a ticket; while there is none, `make_room` is asked for one, now and then.
async fn take(tickets: Arc<Turnstile>, make_room: impl Fn()) -> Option<Ticket> {
    if let Some(ticket) = tickets.try_take() {
        return Some(ticket);
    }
    let mut waiting = tickets.wait();
    make_room();
    let mut look_after = LOOK_AGAIN;
    loop {
        match tokio::time::timeout(look_after, &mut waiting.ticket).await {
            Ok(ticket) => return ticket.ok(),
            // A newer one got the room, or there was none to be made. A crowd that waits asks rarely: else it would drive
            // out everybody as soon as it may, and a newcomer would find nobody who can give way at once.
            Err(_) if tickets.may_ask_again(&waiting, ASK_AGAIN) => {
                make_room();
                look_after = LOOK_AGAIN;
            }
            Err(_) => look_after = (look_after * 2).min(LOOK_AGAIN_MAX),
        }
    }
}

/// Ends the state of waiting for a seat, however the waiting ends.
struct Queueing<'c>(&'c Connection);

impl Drop for Queueing<'_> {
    fn drop(&mut self) {
        self.0.begin();
        self.0.is_queueing.store(false, Ordering::Relaxed);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut groups = self.places.groups();
        if let Some(group) = groups.get_mut(&self.connection.origin) {
            group.open.remove(&self.connection.number);
            if group.open.is_empty() {
                groups.remove(&self.connection.origin);
            }
        }
        drop(groups);
        self.places.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: usize, seats_of_network: usize) -> Limits {
        Limits {
            connections,
            seats_of_network,
            pictures_of_network: 1,
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Limits::default()
        }
    }

    fn peer(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), 4000)
    }

    fn has_left(entry: &Entry) -> bool {
        entry.connection.leave().is_cancelled()
    }

    #[test]
    fn who_asks_nothing_gives_way_before_who_is_served() {
        let places = Places::new(limits(2, 64));
        let busy = places.enter(peer("192.0.2.1")).unwrap();
        busy.connection.is_asked();
        let silent = places.enter(peer("198.51.100.1")).unwrap();
        let third = places.enter(peer("203.0.113.1")).unwrap();
        assert!(has_left(&silent) && !has_left(&busy) && !has_left(&third));
        third.connection.is_asked();
        drop(silent);
        assert!(
            places.enter(peer("203.0.113.2")).is_none(),
            "all are being served"
        );
        drop(busy);
        assert!(places.enter(peer("203.0.113.2")).is_some());
    }

    #[test]
    fn the_network_with_the_most_connections_gives_way_and_proxies_do_last() {
        let places = Places::new(limits(6, 64));
        let enter = |address: &str| places.enter(peer(address)).unwrap();
        let proxied: Vec<Entry> = (0..3).map(|_| enter("10.0.0.1")).collect();
        let alone = enter("192.0.2.1");
        let many = [enter("198.51.100.1"), enter("198.51.100.200")];
        let _newcomer = enter("203.0.113.1");
        assert!(has_left(&many[0]) && !has_left(&many[1]));
        assert!(!has_left(&alone) && !proxied.iter().any(has_left));
    }

    #[tokio::test]
    async fn a_full_network_makes_room_and_others_do_not_notice() {
        let places = Places::new(limits(100, 1));
        let first = places.enter(peer("192.0.2.1")).unwrap();
        let seat = first.seat(false).await.unwrap();
        let second = places.enter(peer("192.0.2.2")).unwrap();
        let other = places.enter(peer("203.0.113.1")).unwrap();
        assert!(other.seat(false).await.is_some());
        let waiting = second.seat(false);
        let gives_way = async {
            first.connection.leave().cancelled().await;
            drop(seat);
        };
        let both = async { tokio::join!(waiting, gives_way).0 };
        let seated = tokio::time::timeout(Duration::from_secs(30), both).await;
        assert!(seated.is_ok_and(|seat| seat.is_some()));
    }

    #[tokio::test]
    async fn whose_room_a_newer_one_took_asks_again() {
        let places = Places::new(limits(100, 1));
        let enter = || places.enter(peer("192.0.2.1")).unwrap();
        let (first, old) = (enter(), enter());
        let seat = first.seat(false).await.unwrap();
        let new = enter();
        // Both wait for the one seat; the newer one gets it, and holds it without asking anything.
        let (mut older, newer) = (Box::pin(old.seat(false)), new.seat(false));
        let poll = tokio::time::timeout(Duration::ZERO, older.as_mut());
        assert!(poll.await.is_err());
        let gives_way = async {
            first.connection.leave().cancelled().await;
            drop(seat);
        };
        let got = tokio::time::timeout(Duration::from_secs(30), async {
            tokio::join!(newer, gives_way).0.unwrap()
        });
        let held = got.await.unwrap();
        let gives_way = async {
            new.connection.leave().cancelled().await;
            drop(held);
        };
        let both = async { tokio::join!(older, gives_way).0 };
        let seated = tokio::time::timeout(Duration::from_secs(30), both).await;
        assert!(seated.is_ok_and(|seat| seat.is_some()));
    }

    #[tokio::test]
    async fn pictures_leave_seats_for_pages() {
        let places = Places::new(limits(100, 2));
        let enter = || places.enter(peer("192.0.2.1")).unwrap();
        let (one, two, page) = (enter(), enter(), enter());
        one.connection.is_asked();
        let first = one.seat(true).await.unwrap();
        let mut second = std::pin::pin!(two.seat(true));
        assert!(
            tokio::time::timeout(Duration::ZERO, second.as_mut())
                .await
                .is_err()
        );
        assert!(page.seat(false).await.is_some());
        drop(first);
        assert!(second.await.is_some());
    }

    #[test]
    fn connections_follow_the_descriptors() {
        let of = |descriptors| Limits::with_descriptors(descriptors, Vec::new());
        assert_eq!((of(0).connections, of(0).seats), (16, 16));
        assert_eq!((of(700).connections, of(700).seats), (700, 512));
        assert_eq!(of(u64::MAX).connections, 8_192);
    }

    #[test]
    fn a_network_is_24_bits_of_ipv4_and_64_of_ipv6() {
        let origin = |address: &str| Origin::of(address.parse().unwrap(), &[]);
        assert_eq!(origin("192.0.2.1"), origin("::ffff:192.0.2.200"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.3.1"));
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::1"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
    }
}
