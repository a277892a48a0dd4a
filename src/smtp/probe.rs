//! Finds out why a server that has accepted a connection says nothing: whether it waits for TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the answer may take.
const LIMIT: Duration = Duration::from_millis(2_500);
/// The kinds of TLS records that a server begins with (RFC 8446, section 5.1): alert and handshake.
const FIRST: [u8; 2] = [21, 22];

/// Whether a server answers a TLS handshake, on a connection of its own. No certificate is checked, and nothing is
/// sent but the beginning of the handshake.
pub(super) async fn speaks_tls(address: SocketAddr, host: &str) -> bool {
    let Some(hello) = hello(host, address) else {
        return false;
    };
    let answer = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(&hello).await.ok()?;
        let mut record = [0; 2];
        stream.read_exact(&mut record).await.ok()?;
        Some(FIRST.contains(&record[0]) && record[1] == 3)
    };
    timeout(LIMIT, answer).await.ok().flatten() == Some(true)
}

/// What a client says first in TLS.
fn hello(host: &str, address: SocketAddr) -> Option<Vec<u8>> {
    let name = ServerName::try_from(host.to_owned())
        .unwrap_or_else(|_| ServerName::IpAddress(address.ip().into()));
    let config =
        ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Whether a server that answers the first bytes so is taken to speak TLS.
    async fn taken_for_tls(answer: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0; 5];
            stream.read_exact(&mut first).await.unwrap();
            assert_eq!(first[..2], [22, 3], "a handshake record");
            stream.write_all(answer).await.unwrap();
        });
        let speaks = speaks_tls(address, "smtp.example.org").await;
        server.await.unwrap();
        speaks
    }

    #[tokio::test]
    async fn a_handshake_or_an_alert_is_tls_and_nothing_else_is() {
        assert!(taken_for_tls(&[22, 3, 3, 0, 1]).await);
        assert!(
            taken_for_tls(&[21, 3, 1, 0, 2]).await,
            "a handshake that fails"
        );
        assert!(!taken_for_tls(b"220 smtp.example.org\r\n").await);
        assert!(!taken_for_tls(b"").await);
    }
}
