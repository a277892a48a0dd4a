//! SIGTERM and SIGINT as requests to stop; SIGHUP as one to read the settings again, or to stop where it says that the
//! terminal was closed.

use std::fs::File;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The terminal of this process's session, if it has one.
const TERMINAL: &str = "/dev/tty";

/// What signals ask of a daemon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// To stop.
    pub shutdown: CancellationToken,
    /// To read the settings again.
    pub reload: Arc<Notify>,
}

/// A token that the first of SIGTERM, SIGINT and SIGHUP cancels. A second one ends the process at once, as the system
/// would have: mails in flight are then uncertain. Under `nohup`, SIGHUP is ignored.
///
/// # Errors
/// The system takes no handlers.
pub(crate) fn shutdown_on_signals() -> std::io::Result<CancellationToken> {
    listen(|| false).map(|signals| signals.shutdown)
}

/// What a daemon is asked by signals: as [`shutdown_on_signals`], but SIGHUP asks it to read its settings again, as
/// `systemctl reload` does. Where the terminal that it was started from is gone, SIGHUP asks it to stop.
///
/// # Errors
/// The system takes no handlers.
pub(crate) fn daemon_signals() -> std::io::Result<Signals> {
    let had_terminal = has_terminal();
    listen(move || !had_terminal || has_terminal())
}

/// Listens for signals. `may_reload`: whether a SIGHUP that has just come asks for a reload.
fn listen(may_reload: impl Fn() -> bool + Send + 'static) -> std::io::Result<Signals> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let mut hang_up = if ignores_hang_ups() {
        None
    } else {
        Some(signal(SignalKind::hangup())?)
    };
    let signals = Signals::default();
    let asked = signals.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = received(hang_up.as_mut()) => if may_reload() {
                    asked.reload.notify_one();
                    continue;
                },
            }
            if asked.shutdown.is_cancelled() {
                std::process::exit(130);
            }
            tracing::info!("stopping: waiting for mails in flight, the rest stays queued");
            asked.shutdown.cancel();
        }
    });
    Ok(signals)
}

/// Waits for a signal; for ever where it is not listened for.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether this process's session has a terminal; a session loses it when the terminal is closed (credentials(7)).
fn has_terminal() -> bool {
    File::open(TERMINAL).is_ok()
}

/// Whether SIGHUP, number 1, is among the signals that this process was started to ignore (proc(5), `SigIgn`).
fn ignores_hang_ups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
