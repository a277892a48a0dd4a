//! `serve`: the daemon, until SIGTERM or Ctrl-C; SIGHUP has it read its settings again.

use tokio::net::TcpListener;

use crate::app::{self, DaemonError, Reloads, RoomError};
use crate::config::{self, Settings};
use crate::operate::keys;
use crate::store::{DaemonLock, Store};

use super::{Answer, Context, Failure, Outcome};

/// What to do about a defect.
const REPORT: &str = "This is a defect of Letterpress; please report it.";

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress serve")]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, context: &Context) -> Outcome {
    let examined = context.settings_to_connect()?;
    let settings = examined.settings.clone();
    app::logging::begin(&settings.log);
    // The lock says so as well, but the port would be in the way first.
    if let Some(holder) = DaemonLock::holder(&settings.database) {
        return Err(
            Failure::new(format!("a daemon is already running: {holder}"))
                .at(settings.database.display().to_string())
                .help("Stop it first; two daemons would send the same mail."),
        );
    }
    warn_of_unsigned(&settings).await;
    let signals = app::daemon_signals().map_err(no_signals)?;
    let listener = listen(&settings.listen).await?;
    for finding in &examined.findings {
        let place = finding.place();
        tracing::warn!("{place}: {}. {}", finding.message, finding.help);
    }
    let given = context.common.config.clone();
    let read = move || {
        config::load_to_connect(given.as_deref()).map_err(|error| Failure::from(error).in_a_line())
    };
    let reloads = Reloads::new(signals.reload, examined, Box::new(read));
    app::launch(
        settings,
        listener,
        context.clock.clone(),
        signals.shutdown,
        reloads,
    )
    .await?;
    Ok(Answer::Done)
}

/// Says in the log whose mails nothing signs.
async fn warn_of_unsigned(settings: &Settings) {
    let mut relays = settings.sending.relays.iter();
    if relays.all(|relay| relay.dkim.algorithms.is_empty()) {
        return;
    }
    let in_use = Store::peek_at_dkim_selectors(&settings.database).await;
    for list in keys::unsigned(&settings.lists, &in_use.unwrap_or_default()) {
        let domain = list.from.address.domain();
        tracing::warn!(list = %list.key, "no DKIM key in use signs mails from {domain}; `letterpress dkim new --domain {domain}` makes one, unless the relay signs");
    }
}

/// A token that SIGTERM and Ctrl-C cancel.
pub(super) fn signals() -> Result<tokio_util::sync::CancellationToken, Failure> {
    app::shutdown_on_signals().map_err(no_signals)
}

fn no_signals(error: std::io::Error) -> Failure {
    Failure::new(format!(
        "signals can't be handled: {}",
        crate::format::io(&error)
    ))
}

/// Listens on an address of the settings.
pub(super) async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| {
        let help = match e.kind() {
            std::io::ErrorKind::AddrInUse => {
                "Stop the program that listens there, or set web.listen to another port."
            }
            std::io::ErrorKind::PermissionDenied => "Ports below 1024 are reserved: use one above.",
            _ => "Set web.listen to an address of this machine.",
        };
        Failure::new(format!(
            "the daemon can't listen: {}",
            crate::format::io(&e)
        ))
        .at(address)
        .help(help)
    })
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Store(error) => error.into(),
            DaemonError::Theme(error) => error.into(),
            DaemonError::Room { room, error } => {
                let what = format!("the {room} stopped");
                match error {
                    RoomError::Store(error) => error.into(),
                    RoomError::Io(error) => {
                        Failure::new(format!("{what}: {}", crate::format::io(&error)))
                    }
                    RoomError::Unasked => {
                        Failure::new(format!("{what} without being asked to")).help(REPORT)
                    }
                    RoomError::ThreadDied => {
                        Failure::new(format!("{what}: its thread died")).help(REPORT)
                    }
                    RoomError::TaskDied(error) => {
                        Failure::new(format!("{what}: {error}")).help(REPORT)
                    }
                }
            }
        }
    }
}
