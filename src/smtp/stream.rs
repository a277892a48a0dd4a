//! Bytes to and from a server: clear text or TLS, replies read in full, a time limit on every step.
//!
//! Which command is sent, and what a reply means, is left to `client` and `reply`.

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

use super::error::{ConnectionLost, PartialWrite, shown};
use super::reply::{LINE_MAX, LINES_MAX, Reply, ReplyLine};
use super::tls::TlsFailure;

/// Bytes of one line beyond which a server is no longer listened to.
const LINE_LIMIT: usize = 64 * 1024;

trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Transport for T {}

/// An open stream to a server.
pub struct SmtpStream {
    stream: BufReader<Box<dyn Transport>>,
    /// Our end's address, for an EHLO without a name (RFC 5321, section 4.1.4).
    pub(super) local: SocketAddr,
    block: Duration,
    /// Under TLS, which may hand over more than a write that fails tells.
    sealed: bool,
}

impl SmtpStream {
    /// Continues over a TCP connection, without delay for small packets. `block` limits each write.
    ///
    /// # Errors
    /// [`ConnectionLost`] where the connection is gone already.
    pub(super) fn over_tcp(
        stream: TcpStream,
        block: Duration,
    ) -> Result<SmtpStream, ConnectionLost> {
        // Without it each mail waits some 40 ms for the other side's delayed acknowledgement.
        stream
            .set_nodelay(true)
            .map_err(|e| ConnectionLost::io(&e))?;
        let local = stream.local_addr().map_err(|e| ConnectionLost::io(&e))?;
        Ok(SmtpStream {
            stream: BufReader::new(Box::new(stream)),
            local,
            block,
            sealed: false,
        })
    }

    /// Speaks over any stream, such as bytes in memory. `block` limits each write.
    pub fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
        block: Duration,
    ) -> SmtpStream {
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        SmtpStream {
            stream: BufReader::new(Box::new(stream)),
            local,
            block,
            sealed: false,
        }
    }

    /// Continues under TLS. Bytes that arrived in clear text before TLS began may be an attacker's (CVE-2011-0411):
    /// then the connection is not used.
    ///
    /// # Errors
    /// [`ConnectionLost`] where such bytes arrived, the handshake fails, or it takes longer than `limit`.
    pub(super) async fn secure(
        self,
        host: &str,
        config: Arc<ClientConfig>,
        limit: Duration,
    ) -> Result<SmtpStream, ConnectionLost> {
        if !self.stream.buffer().is_empty() {
            return Err(ConnectionLost::BytesBeforeTls);
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ConnectionLost::NoServerName(host.to_owned()))?;
        let inner = self.stream.into_inner();
        let stream = timeout(limit, TlsConnector::from(config).connect(name, inner))
            .await
            .map_err(|_| ConnectionLost::TimedOut(limit))?
            .map_err(|e| ConnectionLost::Tls(TlsFailure::from(&e)))?;
        let stream = BufReader::new(Box::new(stream) as Box<dyn Transport>);
        Ok(SmtpStream {
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

    /// Passes where nothing has come. Whoever writes has read every reply that it waited for; so bytes that are here before
    /// a command or a mail answer something that was not said yet, and no reply on this connection can be believed any
    /// more. It does not wait.
    ///
    /// # Errors
    /// [`ConnectionLost`] where something has come, or the server has hung up.
    async fn nothing_came(&mut self) -> Result<(), ConnectionLost> {
        let mut look = std::pin::pin!(self.stream.fill_buf());
        let come = std::future::poll_fn(|context| Poll::Ready(look.as_mut().poll(context))).await;
        match come {
            Poll::Pending => Ok(()),
            Poll::Ready(Err(error)) => Err(ConnectionLost::io(&error)),
            Poll::Ready(Ok([])) => Err(ConnectionLost::Closed),
            Poll::Ready(Ok(bytes)) => Err(ConnectionLost::unasked(bytes)),
        }
    }

    /// Passes where no more has come than was read already. One more reply, 421, is a server's goodbye (RFC 5321, section
    /// 3.8): that, or an end, is `false`. It does not wait.
    ///
    /// # Errors
    /// [`ConnectionLost`] where something else has come, which answers nothing.
    pub(super) async fn no_more_came(&mut self) -> Result<bool, ConnectionLost> {
        match self.nothing_came().await {
            Ok(()) => Ok(true),
            Err(ConnectionLost::Unasked(line)) if !line.starts_with("421") => {
                Err(ConnectionLost::Unasked(line))
            }
            Err(_) => Ok(false),
        }
    }

    /// Hands bytes to the system. Each part of them has the limit of a block (RFC 5321, section 4.5.3.2.5).
    ///
    /// # Errors
    /// [`PartialWrite`]: the server can have seen no more than was handed over. Nothing was where replies had come before.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), PartialWrite> {
        self.nothing_came()
            .await
            .map_err(|why| PartialWrite { why, written: 0 })?;
        // Under TLS the last record may still be on this side, and where this fails, it stays there.
        let all_but_the_end = bytes.len().saturating_sub(1);
        let mut written = 0;
        while written < bytes.len() {
            let step = timeout(self.block, self.stream.write(&bytes[written..])).await;
            let why = match step {
                Ok(Ok(0)) => ConnectionLost::io(&io::ErrorKind::WriteZero.into()),
                Ok(Ok(n)) => {
                    written += n;
                    continue;
                }
                Ok(Err(error)) => ConnectionLost::io(&error),
                Err(_) => ConnectionLost::TimedOut(self.block),
            };
            return Err(PartialWrite {
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
            Ok(Err(error)) => Err(PartialWrite {
                why: ConnectionLost::io(&error),
                written,
            }),
            Err(_) => Err(PartialWrite {
                why: ConnectionLost::TimedOut(self.block),
                written,
            }),
        }
    }

    /// Sends one command, line end included.
    ///
    /// # Errors
    /// [`PartialWrite`]: the connection is not usable any more.
    pub(super) async fn command(&mut self, line: &str) -> Result<(), PartialWrite> {
        self.write(line.as_bytes()).await
    }

    /// Reads one reply with all its lines, of which at most [`LINES_MAX`] lines of [`LINE_MAX`] bytes are kept.
    ///
    /// # Errors
    /// [`ConnectionLost`] where none comes within `limit`, or what comes is not one.
    pub async fn read_reply(&mut self, limit: Duration) -> Result<Reply, ConnectionLost> {
        timeout(limit, self.lines())
            .await
            .map_err(|_| ConnectionLost::TimedOut(limit))?
    }

    async fn lines(&mut self) -> Result<Reply, ConnectionLost> {
        let (mut first, mut lines) = (None, Vec::new());
        loop {
            let bytes = self.line().await?;
            let Some(line) = ReplyLine::read(&bytes) else {
                return Err(ConnectionLost::NotAReply(shown(&bytes)));
            };
            let code = *first.get_or_insert(line.code);
            // RFC 5321, section 4.2.1: each line has the same code.
            if line.code != code || lines.len() >= LINES_MAX {
                return Err(ConnectionLost::MixedReply);
            }
            lines.push(line.text);
            if !line.more {
                return Ok(Reply::new(code, lines));
            }
        }
    }

    /// One line without its end; of a very long one the beginning.
    async fn line(&mut self) -> Result<Vec<u8>, ConnectionLost> {
        let (mut kept, mut seen) = (Vec::new(), 0);
        loop {
            let bytes = self
                .stream
                .fill_buf()
                .await
                .map_err(|e| ConnectionLost::io(&e))?;
            if bytes.is_empty() {
                return Err(ConnectionLost::io(&io::ErrorKind::UnexpectedEof.into()));
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
                return Err(ConnectionLost::EndlessLine);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server had said before anything was written, and whether that was noticed.
    async fn said_before(server: &[u8]) -> Result<(), ConnectionLost> {
        let (mine, mut theirs) = tokio::io::duplex(1000);
        let mut stream = SmtpStream::over(mine, Duration::from_secs(60));
        theirs.write_all(server).await.unwrap();
        let first = stream.read_reply(Duration::from_secs(60)).await.unwrap();
        assert_eq!(first.code, 354);
        let written = stream.write(b"mail\r\n.\r\n").await;
        written.map_err(|partial| {
            assert_eq!(partial.written, 0);
            partial.why
        })
    }

    #[tokio::test]
    async fn a_reply_to_what_was_not_sent_yet_is_not_believed() {
        assert_eq!(said_before(b"354 go on\r\n").await, Ok(()));
        assert_eq!(
            said_before(b"354 go on\r\n250 taken already\r\nx").await,
            Err(ConnectionLost::Unasked("250 taken already".into()))
        );
    }

    #[tokio::test]
    async fn a_server_that_has_hung_up_is_handed_nothing() {
        let (mine, mut theirs) = tokio::io::duplex(1000);
        let mut stream = SmtpStream::over(mine, Duration::from_secs(60));
        theirs.write_all(b"354 go on\r\n").await.unwrap();
        stream.read_reply(Duration::from_secs(60)).await.unwrap();
        // It still reads.
        theirs.shutdown().await.unwrap();
        let partial = stream.write(b"mail\r\n.\r\n").await.unwrap_err();
        assert_eq!((partial.why, partial.written), (ConnectionLost::Closed, 0));
    }

    /// How much of ten bytes may have been handed over when the peer goes after four.
    async fn handed_over(sealed: bool) -> usize {
        let (mine, theirs) = tokio::io::duplex(4);
        // It runs when the writer waits for room.
        tokio::spawn(async move { drop(theirs) });
        let mut stream = SmtpStream {
            sealed,
            ..SmtpStream::over(mine, Duration::from_secs(60))
        };
        stream.write(b"0123456789").await.unwrap_err().written
    }

    /// A record that was made before the one that fails may have been sent.
    #[tokio::test]
    async fn under_tls_all_but_the_end_may_have_been_handed_over() {
        assert_eq!((handed_over(false).await, handed_over(true).await), (4, 9));
    }
}
