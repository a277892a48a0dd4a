//! SIGTERM and SIGINT, as requests to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that the first SIGTERM or SIGINT cancels. A second one ends the process at once, as the system would
/// have: mails in flight are then uncertain.
///
/// # Errors
/// The system takes no handlers.
pub fn shutdown_on_signals() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        for which in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if which == 0 {
                tracing::info!("asked to stop: mails in flight end, the rest stays queued");
                asked.cancel();
            }
        }
        std::process::exit(130);
    });
    Ok(shutdown)
}
