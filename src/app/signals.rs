//! SIGTERM, SIGINT and SIGHUP, as requests to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that the first of these signals cancels. A second one ends the process at once, as the system would have:
/// mails in flight are then uncertain.
///
/// SIGHUP arrives when the terminal is closed; under `nohup` the process continues.
///
/// # Errors
/// The system takes no handlers.
pub(crate) fn shutdown_on_signals() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let mut hang_up = if ignores_hang_ups() {
        None
    } else {
        Some(signal(SignalKind::hangup())?)
    };
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        for which in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = received(hang_up.as_mut()) => {}
            }
            if which == 0 {
                tracing::info!("stopping: waiting for mails in flight, the rest stays queued");
                asked.cancel();
            }
        }
        std::process::exit(130);
    });
    Ok(shutdown)
}

/// Waits for a signal; for ever where it is not listened for.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether SIGHUP, number 1, is among the signals that this process was started to ignore (proc(5), `SigIgn`).
fn ignores_hang_ups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
