//! The accept loop: hyper, with limits that axum's own loop does not set.
//!
//! A connection that sends no complete request head in time is closed, and the number of connections is limited.
//! hyper parses HTTP and refuses ambiguous requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client may take to send a head, and a kept connection may stay idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How many connections are served at once; the next ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 1024;
/// How long requests under way may go on after the shutdown began.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait after the system refused a connection, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most bytes of a request's head.
const HEAD_MAX: usize = 32 * 1024;

/// Serves any routes on a listener until `shutdown`, then waits for requests under way.
///
/// # Errors
/// When the listener can no longer be used.
pub(crate) async fn serve_router(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    listener.local_addr()?;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let tracker = TaskTracker::new();
    while let Some(Ok(place)) = shutdown
        .run_until_cancelled(room.clone().acquire_owned())
        .await
    {
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else {
            break;
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = talk(stream, peer, router.clone(), shutdown.clone());
                tracker.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
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
async fn talk(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.call(request)
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let ends = tokio::spawn(serve_router(listener, router, stop.clone()));
        (address, stop, ends)
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
