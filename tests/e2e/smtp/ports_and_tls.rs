//! A server that speaks TLS from the first byte where clear text is expected, and the reverse.

use letterpress::smtp::Tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fixture::{Newsletter, is_paused};
use crate::server::Server;

/// A server that waits for TLS: it says nothing until a handshake begins, and refuses that. It serves one connection
/// at a time.
async fn waits_for_tls() -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 3];
            if stream.read_exact(&mut first).await.is_ok() && first[0] == 22 {
                // A fatal alert: no protocol in common.
                let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 70]).await;
            }
        }
    });
    (address, serving)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_for_tls_is_told_from_one_that_is_silent() {
    let (address, serving) = waits_for_tls().await;
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    newsletter.settings.relays[0].endpoint.port = address.port();
    newsletter.settings.relays[0].connections = 1;
    newsletter.settings.relays[0].endpoint.tls = Tls::Starttls;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    let reason = row.reason.unwrap().to_string();
    assert!(reason.contains("set tls = \"implicit\""), "{reason}");
    sender.stop().await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_speaks_first_is_told_where_tls_is_expected() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    newsletter.settings.relays[0].endpoint.tls = Tls::Implicit;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    let reason = row.reason.unwrap().to_string();
    assert!(reason.contains("set tls = \"starttls\""), "{reason}");
    sender.stop().await;
}
