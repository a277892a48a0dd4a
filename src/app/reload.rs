//! Reading the settings again while the daemon runs, when a signal asks for it.
//!
//! A reading that fails changes nothing: the settings in use stay in use. What a running daemon can't change is named in
//! the log.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::config::{self, Examined, Settings};

use super::logging;

/// The settings that take effect only when the daemon starts.
const AT_START: [&str; 3] = ["web.listen", "store.path", "log.format"];

/// Reads the settings; an error is a paragraph for people.
pub(crate) type Read = Box<dyn Fn() -> Result<Examined, String> + Send + Sync>;

/// How a running daemon is asked to read its settings again, and how it does so.
pub(crate) struct Reloads {
    asked: Arc<Notify>,
    /// `None`: its settings are nobody's file.
    read: Option<Read>,
    /// What was read last and is in use.
    used: Option<Examined>,
}

impl Reloads {
    /// For a daemon whose settings stay as they are.
    pub(crate) fn never() -> Reloads {
        Reloads {
            asked: Arc::default(),
            read: None,
            used: None,
        }
    }

    /// For a daemon that uses `used`, and reads again by `read` when it is `asked`.
    pub(crate) fn new(asked: Arc<Notify>, used: Examined, read: Read) -> Reloads {
        Reloads {
            asked,
            read: Some(read),
            used: Some(used),
        }
    }

    /// Waits until it is asked, and gives the settings as they are then; those that can't be used are logged. It ends
    /// only when settings were read.
    pub(super) async fn next(&self) -> Examined {
        loop {
            self.asked.notified().await;
            let Some(read) = &self.read else { continue };
            tell_systemd(false);
            match read() {
                Ok(read) => return read,
                Err(why) => self.failed(&why),
            }
        }
    }

    /// The settings can't be used: those in use stay in use.
    pub(super) fn failed(&self, why: &str) {
        tracing::error!("the settings were not reloaded, the previous ones stay in use: {why}");
        tell_systemd(true);
    }

    /// The settings to go on with: those that were read, with what can't change while the daemon runs as it was.
    pub(super) fn merged(&self, read: &Examined, running: &Settings) -> Settings {
        Settings {
            listen: running.listen.clone(),
            database: running.database.clone(),
            ..read.settings.clone()
        }
    }

    /// The settings that were read are in use from now on: says what is new.
    pub(super) fn done(&mut self, read: Examined) {
        let before = self.used.replace(read);
        let (Some(before), Some(after)) = (before, &self.used) else {
            return;
        };
        logging::set_level(&after.settings.log);
        let changed = config::changes(&before, after);
        let (later, now): (Vec<_>, Vec<_>) = changed
            .iter()
            .map(String::as_str)
            .partition(|key| AT_START.contains(key));
        if now.is_empty() {
            tracing::info!("settings reloaded");
        } else {
            tracing::info!("settings reloaded; changed: {}", now.join(", "));
        }
        for key in later {
            tracing::warn!("{key} was changed, which takes effect when the daemon is restarted");
        }
        tell_systemd(true);
    }
}

/// Tells systemd that a reload begins or has ended (sd_notify(3)).
fn tell_systemd(is_done: bool) {
    use sd_notify::NotifyState;
    let states = match (is_done, NotifyState::monotonic_usec_now()) {
        (true, _) => vec![NotifyState::Ready],
        (false, Ok(now)) => vec![NotifyState::Reloading, now],
        (false, Err(_)) => vec![NotifyState::Reloading],
    };
    let _ = sd_notify::notify(false, &states);
}
