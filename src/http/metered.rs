//! A client's socket that notices how its answers are taken, and ends the connection of a client that takes too little.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::places::Connection;

/// The bytes for which a client gets another second: one that takes fewer per second runs out of time.
const LEAST_BYTES_PER_S: u32 = 2 * 1024;
/// What the system keeps of an answer beside what the client has taken. A larger buffer would hide for longer whether a
/// client reads at all.
pub(super) const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// A socket whose writes are measured.
pub(super) struct Metered {
    stream: TcpStream,
    connection: Arc<Connection>,
    /// The most that `allowance` can be.
    patience: Duration,
    /// How long writes may still be blocked.
    allowance: Duration,
    /// Since when a write is blocked, and what wakes it when the allowance is used up.
    blocked: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Metered {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>, patience: Duration) -> Self {
        Metered {
            stream,
            connection,
            patience,
            allowance: patience,
            blocked: None,
        }
    }

    /// Judges what a write came to.
    fn judged(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.connection.took(bytes);
                if let Some((since, _)) = self.blocked.take() {
                    let per_byte = Duration::from_secs(1) / LEAST_BYTES_PER_S;
                    let earned = per_byte.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
                    self.allowance = self
                        .allowance
                        .saturating_sub(since.elapsed())
                        .saturating_add(earned)
                        .min(self.patience);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.connection.blocks();
                let allowance = self.allowance;
                let (_, ends) = self.blocked.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(sleep_until(now + allowance)))
                });
                ready!(ends.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client takes its answer too slowly",
                )))
            }
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.judged(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.judged(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
