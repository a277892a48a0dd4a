//! The accept loop: hyper, with limits that axum's own loop does not set.
//!
//! A connection that sends no complete request head in time is closed, and so is one that takes its answer too slowly.
//! `places` limits the number of connections, `metered` sees how answers are taken. hyper parses HTTP and refuses
//! ambiguous requests.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::metered::Metered;
use super::places::{Connection, Entry, Limits, Places};

/// How long a client may take to send a head, and a kept connection may stay idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long requests under way may go on after the shutdown began.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait after the system refused a connection, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How many connections may wait to be accepted; Linux has 4096 at most unless told otherwise (`net.core.somaxconn`).
#[cfg(target_os = "linux")]
const QUEUE_MAX: i32 = 4096;
/// The most bytes of a request's head.
const HEAD_MAX: usize = 32 * 1024;
/// So much of a request is looked at to tell what it is for.
const PEEK_BYTES: usize = 256;
/// What the address of a picture has in it.
const PICTURES: &[u8] = b"/media/";

/// Serves any routes on a listener until `shutdown`, then waits for requests under way.
///
/// # Errors
/// When the listener can no longer be used.
pub(crate) async fn serve_router(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    listener.local_addr()?;
    lengthen_queue(&listener);
    let places = Places::new(limits);
    let tracker = TaskTracker::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                if let Some(entry) = places.enter(peer) {
                    let patience = places.patience();
                    let routes = router.clone();
                    let stop = shutdown.clone();
                    tracker.spawn(async move {
                        receive(stream, peer, &entry, patience, routes, stop).await;
                    });
                }
                if places.are_taken() {
                    // The new connection comes to speak before the next one is accepted, which it may have to give way to.
                    tokio::task::yield_now().await;
                }
            }
            Err(error) => {
                places.make_room();
                tracing::warn!(
                    "a web connection could not be accepted: {}",
                    crate::format::io(&error)
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(GRACE, tracker.wait()).await.is_err() {
        tracing::warn!(
            "{} web connections were closed after {} s of shutdown",
            tracker.len(),
            GRACE.as_secs()
        );
    }
    Ok(())
}

/// One connection, from its first byte to its end.
async fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    entry: &Entry,
    patience: Duration,
    routes: Router,
    shutdown: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let leave = entry.connection.leave();
    let silence = entry.connection.may_be_silent_for();
    let mut start = [0; PEEK_BYTES];
    // Until it says something, it costs no more than its descriptor.
    let speaks = async {
        tokio::select! {
            peeked = tokio::time::timeout(silence, stream.peek(&mut start)) => peeked.ok()?.ok(),
            () = leave.cancelled() => None,
            () = shutdown.cancelled() => None,
        }
    };
    let Some(bytes @ 1..) = speaks.await else {
        return;
    };
    let seat = tokio::select! {
        seat = tokio::time::timeout(HEAD_TIMEOUT, entry.seat(is_for_picture(&start[..bytes]))) => seat,
        () = shutdown.cancelled() => return,
    };
    let Ok(Some(_seat)) = seat else { return };
    bound_send_buffer(&stream);
    let stream = Metered::new(stream, entry.connection.clone(), patience);
    let talking = talk(stream, peer, entry.connection.clone(), routes, shutdown);
    leave.run_until_cancelled(talking).await;
}

/// Lets more connections wait to be accepted: a client whose connection finds no room tries again after seconds. Where the
/// system refuses, its own length holds.
fn lengthen_queue(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    let _ = rustix::net::listen(listener, QUEUE_MAX);
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}

/// Whether the first line of a request names a picture.
fn is_for_picture(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\r').next().unwrap_or(start);
    line.windows(PICTURES.len()).any(|part| part == PICTURES)
}

/// Keeps what the system holds of an answer small; where it refuses, its own size holds.
fn bound_send_buffer(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    {
        use super::metered::SEND_BUFFER_BYTES;
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER_BYTES);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// Answers requests on a connection until it ends.
async fn talk(
    stream: Metered,
    peer: SocketAddr,
    connection: Arc<Connection>,
    routes: Router,
    shutdown: CancellationToken,
) {
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        connection.is_asked();
        let answer = routes.call(request);
        let connection = connection.clone();
        async move {
            // Many requests may be waiting behind one another; the other connections come in between.
            tokio::task::yield_now().await;
            let answer = answer.await;
            connection.answers();
            answer.map(|answer: Response<Body>| {
                answer.map(|body| Body::new(Watched { body, connection }))
            })
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Broken requests and connections that end early are the client's affair: nothing to log.
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// An answer's body, whose end is noted.
struct Watched {
    body: Body,
    connection: Arc<Connection>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.connection.has_answered();
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Serves on a free port; gives the address, what stops it, and how it ends.
    async fn start(
        router: Router,
    ) -> (
        SocketAddr,
        CancellationToken,
        tokio::task::JoinHandle<std::io::Result<()>>,
    ) {
        start_with(router, Limits::default()).await
    }

    async fn start_with(
        router: Router,
        limits: Limits,
    ) -> (
        SocketAddr,
        CancellationToken,
        tokio::task::JoinHandle<std::io::Result<()>>,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let ends = tokio::spawn(serve_router(listener, router, limits, stop.clone()));
        (address, stop, ends)
    }

    /// A page of two megabytes, which no system takes off our hands while its reader sleeps.
    fn large() -> Router {
        Router::new()
            .route("/", get(|| async { vec![b'x'; 2_000_000] }))
            .route("/media/x.png", get(|| async { vec![b'x'; 2_000_000] }))
            .route("/healthz", get(|| async { "ok" }))
    }

    /// A client that asks for the page and takes nothing.
    async fn dawdler(address: SocketAddr, path: &str) -> TcpStream {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let asks = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(asks.as_bytes()).await.unwrap();
        stream
    }

    const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn an_answer_that_nobody_takes_ends_its_connection() {
        let limits = Limits {
            patience: Duration::from_millis(200),
            ..Limits::default()
        };
        let (address, stop, ends) = start_with(large(), limits).await;
        let mut asleep = dawdler(address, "/").await;
        // The system keeps the connection's end from it until it has read what was sent before.
        let mut taken = Vec::new();
        tokio::time::sleep(Duration::from_millis(800)).await;
        let _ = asleep.read_to_end(&mut taken).await;
        assert!(taken.len() < 2_000_000, "it was served to the end");
        stop.cancel();
        ends.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn who_reads_slowly_but_steadily_gets_everything() {
        let limits = Limits {
            patience: Duration::from_millis(300),
            ..Limits::default()
        };
        let (address, ..) = start_with(large(), limits).await;
        let mut reader = dawdler(address, "/").await;
        let (mut got, mut part) = (0, vec![0; 100_000]);
        while got < 2_000_000 {
            let read = reader.read(&mut part).await.unwrap();
            assert!(read > 0, "closed after {got} bytes");
            got += read;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn those_who_take_nothing_give_way_to_others_of_their_network() {
        let limits = Limits {
            seats_of_network: 4,
            pictures_of_network: 4,
            ..Limits::default()
        };
        let (address, ..) = start_with(large(), limits).await;
        let mut asleep = Vec::new();
        for _ in 0..20 {
            asleep.push(dawdler(address, "/").await);
        }
        for _ in 0..3 {
            assert!(ask(address, HEALTH).await.ends_with("ok"));
        }
    }

    #[tokio::test]
    async fn those_who_say_nothing_keep_nobody_out() {
        let limits = Limits {
            connections: 8,
            ..Limits::default()
        };
        let (address, ..) = start_with(large(), limits).await;
        let mut silent = Vec::new();
        for _ in 0..50 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert!(ask(address, HEALTH).await.ends_with("ok"));
    }

    #[tokio::test]
    async fn readers_of_pictures_leave_room_for_pages() {
        let limits = Limits {
            seats_of_network: 3,
            pictures_of_network: 2,
            ..Limits::default()
        };
        let (address, ..) = start_with(large(), limits).await;
        let mut asleep = Vec::new();
        for _ in 0..10 {
            asleep.push(dawdler(address, "/media/x.png").await);
        }
        assert!(ask(address, HEALTH).await.ends_with("ok"));
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn handlers_learn_who_asks() {
        let who = |request: Request| async move {
            request
                .extensions()
                .get::<ConnectInfo<SocketAddr>>()
                .map_or("nobody".into(), |c| c.0.ip().to_string())
        };
        let (address, stop, ends) = start(Router::new().route("/", get(who))).await;
        let answer = ask(
            address,
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("127.0.0.1"),
            "{answer}"
        );
        stop.cancel();
        ends.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_after_the_stop() {
        let (slow_began, mut began) = tokio::sync::mpsc::channel(1);
        let slow = move || async move {
            slow_began.send(()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        };
        let (address, stop, ends) = start(Router::new().route("/", get(slow))).await;
        let answer =
            tokio::spawn(async move { ask(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await });
        began.recv().await.unwrap();
        stop.cancel();
        assert!(answer.await.unwrap().ends_with("done"));
        ends.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn idle_connections_do_not_hold_up_the_stop() {
        let (address, stop, ends) = start(Router::new()).await;
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut kept = TcpStream::connect(address).await.unwrap();
        kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(kept.read(&mut [0; 1000]).await.unwrap() > 0);
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), ends)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn requests_that_two_servers_could_read_differently_are_refused() {
        let (address, _stop, _ends) =
            start(Router::new().route("/", post(|| async { "taken" }))).await;
        for head in [
            "content-length: 3\r\ncontent-length: 4\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            "transfer-encoding: chunked, identity\r\n",
            "content-length: +3\r\n",
            "content-length : 3\r\n",
            " folded: x\r\n",
        ] {
            let answer = ask(
                address,
                &format!("POST / HTTP/1.1\r\nhost: x\r\n{head}\r\nabc"),
            )
            .await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
        }
    }
}
