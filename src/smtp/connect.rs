//! Making a TCP connection to a host of several addresses: all of them are tried (RFC 5321, section 5.1), side by side
//! where one is slow (RFC 8305).
//!
//! What is said on the connection is left to `client`; an address that accepts the connection and then fails is passed
//! over there.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::error::ConnectionLost;
use crate::format;

/// How long an address is given before the next one is tried beside it (RFC 8305, section 5).
const NEXT_AFTER: Duration = Duration::from_millis(250);
/// The most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 16;

/// The addresses of a host in the order in which they are tried: `first` where it is one of them, then IPv6 and IPv4
/// in turn.
///
/// # Errors
/// [`ConnectionLost`] where the name has no address, or it is not found within `limit`.
pub(super) async fn addresses(
    (host, port): (&str, u16),
    first: Option<SocketAddr>,
    limit: Duration,
) -> Result<Vec<SocketAddr>, ConnectionLost> {
    let found = timeout(limit, lookup_host((host, port)))
        .await
        .map_err(|_| ConnectionLost::TimedOut(limit))?
        .map_err(|e| ConnectionLost::io(&e))?;
    Ok(ordered(found, first))
}

/// Puts addresses into the order in which they are tried (RFC 8305, section 4). The system's order holds within each
/// family, and its first address says which family comes first.
fn ordered(
    found: impl IntoIterator<Item = SocketAddr>,
    first: Option<SocketAddr>,
) -> Vec<SocketAddr> {
    let mut all: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    let leads_with_v6 = all.first().is_some_and(SocketAddr::is_ipv6);
    let (mut leading, mut other): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|address| address.is_ipv6() == leads_with_v6);
    let mut order = Vec::new();
    if let Some(first) = first {
        for family in [&mut leading, &mut other] {
            if let Some(place) = family.iter().position(|address| *address == first) {
                order.push(family.remove(place));
            }
        }
    }
    let (mut leading, mut other) = (leading.into_iter(), other.into_iter());
    loop {
        let before = order.len();
        order.extend(leading.next());
        order.extend(other.next());
        if order.len() == before {
            break;
        }
    }
    order.truncate(ADDRESSES_MAX);
    order
}

/// Connects to the first address that accepts: each is tried when the one before has failed or has been silent for a
/// moment, and all that were begun go on.
///
/// # Errors
/// [`ConnectionLost`] where no address accepts the connection within `limit`.
pub(super) async fn race(
    addresses: &[SocketAddr],
    limit: Duration,
) -> Result<(TcpStream, SocketAddr), ConnectionLost> {
    let deadline = Instant::now() + limit;
    let (mut waiting, mut failed) = (addresses.iter().copied(), Vec::new());
    // Dropping it ends the tries that go on.
    let mut tries = JoinSet::new();
    loop {
        let mut next_at = deadline;
        if let Some(address) = waiting.next() {
            tries.spawn(async move { (address, TcpStream::connect(address).await) });
            if waiting.len() > 0 {
                next_at = deadline.min(Instant::now() + NEXT_AFTER);
            }
        }
        tokio::select! {
            ended = tries.join_next() => match ended {
                Some(Ok((address, Ok(stream)))) => return Ok((stream, address)),
                Some(Ok((address, Err(error)))) => failed.push((address, error)),
                Some(Err(_)) => {}
                None => return Err(why(&failed)),
            },
            () = sleep_until(next_at) => {}
        }
        if Instant::now() >= deadline {
            return Err(ConnectionLost::TimedOut(limit));
        }
    }
}

/// Why no address accepts. Where they fail differently, each is named.
fn why(failed: &[(SocketAddr, io::Error)]) -> ConnectionLost {
    let Some((_, first)) = failed.first() else {
        return ConnectionLost::Io("its name has no address".to_owned());
    };
    let words = format::io(first);
    if failed.iter().all(|(_, error)| format::io(error) == words) {
        return ConnectionLost::io(first);
    }
    let each: Vec<String> = failed
        .iter()
        .map(|(address, error)| format!("{} at {}", format::io(error), address.ip()))
        .collect();
    ConnectionLost::Io(each.join(", "))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// Far beyond what a test takes: who waits for a silent address until then has not tried the next.
    const LIMIT: Duration = Duration::from_secs(600);

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A listener whose queue is full, so that nothing answers a further connection; with what fills it.
    async fn silent(ip: Ipv4Addr) -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((ip, 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(Ok(stream)) =
            timeout(Duration::from_millis(300), TcpStream::connect(address)).await
        {
            queue.push(stream);
        }
        (address, listener, queue)
    }

    #[tokio::test]
    async fn a_silent_address_does_not_keep_the_next_from_being_tried() {
        let (silent_at, _listener, _queue) = silent(Ipv4Addr::new(127, 0, 0, 2)).await;
        let good = TcpListener::bind("127.0.0.3:0").await.unwrap();
        let good_at = good.local_addr().unwrap();
        let (_, address) = race(&[silent_at, silent_at, good_at], LIMIT).await.unwrap();
        assert_eq!(address, good_at);
        let nobody = race(&[silent_at], Duration::from_millis(1)).await;
        assert_eq!(
            nobody.unwrap_err(),
            ConnectionLost::TimedOut(Duration::from_millis(1))
        );
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over_and_the_last_refusal_is_told() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.4:0".parse().unwrap()).unwrap();
        let closed = socket.local_addr().unwrap();
        let good = TcpListener::bind("127.0.0.3:0").await.unwrap();
        let good_at = good.local_addr().unwrap();
        assert_eq!(race(&[closed, good_at], LIMIT).await.unwrap().1, good_at);
        let refused = race(&[closed, closed], LIMIT).await.unwrap_err();
        assert_eq!(refused.to_string(), "connection refused");
        assert!(race(&[], LIMIT).await.is_err());
    }

    #[test]
    fn what_differs_is_told_of_each_address() {
        let failed = [
            (
                at("[2001:db8::1]:25"),
                io::Error::from(io::ErrorKind::NetworkUnreachable),
            ),
            (
                at("192.0.2.1:25"),
                io::Error::from(io::ErrorKind::ConnectionRefused),
            ),
        ];
        assert_eq!(
            why(&failed).to_string(),
            "network unreachable at 2001:db8::1, connection refused at 192.0.2.1"
        );
    }

    #[test]
    fn families_take_turns_behind_the_address_that_worked() {
        let (a6, b6, a4, b4) = (
            at("[2001:db8::a]:25"),
            at("[2001:db8::b]:25"),
            at("192.0.2.1:25"),
            at("192.0.2.2:25"),
        );
        assert_eq!(ordered([a6, b6, a4, b4], None), [a6, a4, b6, b4]);
        assert_eq!(ordered([a4, a4, b4, a6], None), [a4, a6, b4]);
        assert_eq!(ordered([a6, b6, a4, b4], Some(b4)), [b4, a6, a4, b6]);
        assert_eq!(ordered([a6], Some(b4)), [a6], "it is of another name now");
        let many = (0..100).map(|n| SocketAddr::from(([192, 0, 2, n], 25)));
        assert_eq!(ordered(many, None).len(), ADDRESSES_MAX);
    }
}
