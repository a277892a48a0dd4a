//! Bytes to and from a relay: clear text or TLS, replies read whole, a time limit on every step.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::reply::{Answer, LINE_MAX, LINES_MAX, read_line};
use super::{Relay, Timeouts, trust};
use crate::format;

/// Bytes of one line beyond which a server is no longer listened to.
const LINE_LIMIT: usize = 64 * 1024;

/// Why nothing more can be had from a connection, as it stands after “the connection was lost: …”.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub String);

impl Broken {
    fn io(error: &io::Error) -> Broken {
        Broken(match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed it".into(),
            _ => format::io(error),
        })
    }

    fn late(limit: Duration) -> Broken {
        Broken(format!("no answer within {} s", limit.as_secs()))
    }
}

/// A write that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub why: Broken,
    /// At most so many bytes were handed over.
    pub written: usize,
}

impl From<Cut> for Broken {
    fn from(cut: Cut) -> Broken {
        cut.why
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// An open stream to a relay.
pub(super) struct Wire {
    stream: BufReader<Box<dyn Stream>>,
    /// Our end's address, for an EHLO without a name.
    pub local: SocketAddr,
    block: Duration,
    /// Under TLS, which may hand over more than a write that fails tells.
    sealed: bool,
}

impl Wire {
    /// Connects without delay for small packets; with several addresses the first that answers is taken.
    pub(super) async fn connect(relay: &Relay, limits: &Timeouts) -> Result<Wire, Broken> {
        let connecting = TcpStream::connect((relay.host.as_str(), relay.port));
        let stream = timeout(limits.connect, connecting)
            .await
            .map_err(|_| Broken::late(limits.connect))?
            .map_err(|e| Broken::io(&e))?;
        // Without it each mail waits some 40 ms for the other side's delayed acknowledgement.
        stream.set_nodelay(true).map_err(|e| Broken::io(&e))?;
        let local = stream.local_addr().map_err(|e| Broken::io(&e))?;
        Ok(Wire {
            stream: BufReader::new(Box::new(stream)),
            local,
            block: limits.block,
            sealed: false,
        })
    }

    /// A wire over any stream, such as bytes that never came over a network.
    pub(super) fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
        block: Duration,
    ) -> Wire {
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        Wire {
            stream: BufReader::new(Box::new(stream)),
            local,
            block,
            sealed: false,
        }
    }

    /// Goes on under TLS. What the server sent in clear text before its time is a forger's (CVE-2011-0411 was
    /// this): then nothing goes on.
    pub(super) async fn secure(
        self,
        host: &str,
        config: Arc<ClientConfig>,
        limit: Duration,
    ) -> Result<Wire, Broken> {
        if !self.stream.buffer().is_empty() {
            return Err(Broken("something was put into it before TLS began".into()));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Broken(format!("{host} is no name that a certificate can hold")))?;
        let inner = self.stream.into_inner();
        let stream = timeout(limit, TlsConnector::from(config).connect(name, inner))
            .await
            .map_err(|_| Broken::late(limit))?
            .map_err(|e| Broken(format!("TLS failed: {}", trust::why_not(&e))))?;
        let stream = BufReader::new(Box::new(stream) as Box<dyn Stream>);
        Ok(Wire {
            stream,
            local: self.local,
            block: self.block,
            sealed: true,
        })
    }

    /// Whether nothing has come and nobody has hung up since the last answer. It does not wait.
    pub(super) async fn is_quiet(&mut self) -> bool {
        let mut look = std::pin::pin!(self.stream.fill_buf());
        // Ready with nothing: closed. Ready with something: unasked, such as a 421 before closing.
        std::future::poll_fn(|context| Poll::Ready(look.as_mut().poll(context).is_pending())).await
    }

    /// Hands bytes to the system. Each part of them has the limit of a block (RFC 5321, 4.5.3.2.5).
    ///
    /// # Errors
    /// [`Cut`]: the server can have seen no more than was handed over.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Cut> {
        // Under TLS the last record may still be on this side, and where this fails, it stays there.
        let all_but_the_end = bytes.len().saturating_sub(1);
        let mut written = 0;
        while written < bytes.len() {
            let step = timeout(self.block, self.stream.write(&bytes[written..])).await;
            let why = match step {
                Ok(Ok(0)) => Broken::io(&io::ErrorKind::WriteZero.into()),
                Ok(Ok(n)) => {
                    written += n;
                    continue;
                }
                Ok(Err(error)) => Broken::io(&error),
                Err(_) => Broken::late(self.block),
            };
            return Err(Cut {
                why,
                written: if self.sealed {
                    all_but_the_end
                } else {
                    written
                },
            });
        }
        let written = all_but_the_end;
        match timeout(self.block, self.stream.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Cut {
                why: Broken::io(&error),
                written,
            }),
            Err(_) => Err(Cut {
                why: Broken::late(self.block),
                written,
            }),
        }
    }

    /// Reads one whole reply.
    pub(super) async fn answer(&mut self, limit: Duration) -> Result<Answer, Broken> {
        timeout(limit, self.lines())
            .await
            .map_err(|_| Broken::late(limit))?
    }

    async fn lines(&mut self) -> Result<Answer, Broken> {
        let (mut first, mut lines) = (None, Vec::new());
        loop {
            let bytes = self.line().await?;
            let Some(line) = read_line(&bytes) else {
                let shown: String = String::from_utf8_lossy(&bytes).chars().take(80).collect();
                return Err(Broken(format!(
                    "“{}” is no SMTP reply",
                    shown.escape_debug()
                )));
            };
            let code = *first.get_or_insert(line.code);
            // RFC 5321, 4.2.1: each line bears the same code.
            if line.code != code || lines.len() >= LINES_MAX {
                return Err(Broken(
                    "a reply of many lines that don't belong together".into(),
                ));
            }
            lines.push(line.text);
            if !line.more {
                return Ok(Answer { code, lines });
            }
        }
    }

    /// One line without its end; of a very long one the beginning.
    async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        let (mut kept, mut seen) = (Vec::new(), 0);
        loop {
            let bytes = self.stream.fill_buf().await.map_err(|e| Broken::io(&e))?;
            if bytes.is_empty() {
                return Err(Broken::io(&io::ErrorKind::UnexpectedEof.into()));
            }
            let end = bytes.iter().position(|&b| b == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = LINE_MAX.saturating_sub(kept.len());
            kept.extend_from_slice(&part[..part.len().min(room)]);
            seen += part.len();
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.stream.consume(used);
            if end.is_some() {
                if kept.last() == Some(&b'\r') {
                    kept.pop();
                }
                return Ok(kept);
            }
            if seen > LINE_LIMIT {
                return Err(Broken("a reply without end".into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of ten bytes may have been handed over when nobody is there any more.
    async fn handed_over(sealed: bool) -> usize {
        let (mine, theirs) = tokio::io::duplex(4);
        drop(theirs);
        let mut wire = Wire {
            sealed,
            ..Wire::over(mine, Duration::from_secs(60))
        };
        wire.write(b"0123456789").await.unwrap_err().written
    }

    /// A record that was made before the one that fails may have been sent.
    #[tokio::test]
    async fn under_tls_all_but_the_end_may_have_been_handed_over() {
        assert_eq!((handed_over(false).await, handed_over(true).await), (0, 9));
    }
}
