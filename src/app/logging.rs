//! Logging of the daemon: for people, as JSON, or to the journal; always on stderr or beside it.

use std::sync::OnceLock;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, reload};

use crate::config::Log;
use crate::stdio;

/// The filter in use.
static FILTER: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Begins to log as the settings say. What other crates say is kept from `warn` on.
///
/// `auto` is the journal where stderr is connected to it (systemd says so), else text. Where the journal is asked
/// for and can't be reached, the log goes to stderr and begins by saying so: no mail waits for that.
pub(crate) fn begin(log: &Log) {
    let (filter, handle) = reload::Layer::new(filter(log));
    let to_journal = log.format == "journald"
        || log.format == "auto"
            && std::env::var_os("JOURNAL_STREAM").is_some()
            && !stdio::stderr_is_terminal();
    let mut missing = None;
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        "json" => Box::new(
            tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(stdio::log),
        ),
        _ if to_journal => match tracing_journald::layer() {
            Ok(journal) => Box::new(journal),
            Err(error) => {
                missing = (log.format == "journald").then_some(error);
                Box::new(text())
            }
        },
        _ => Box::new(text()),
    };
    // A second start in one process, as in tests, keeps the first one's choice.
    let begun = Registry::default()
        .with(layer.with_filter(filter))
        .try_init();
    if begun.is_ok() {
        let _ = FILTER.set(handle);
    }
    if let Some(error) = missing {
        let why = crate::format::io(&error);
        tracing::warn!(
            "log.format is journald, but the journal can't be reached ({why}); logging to stderr"
        );
    }
}

/// Logs at another level from now on.
pub(crate) fn set_level(log: &Log) {
    if let Some(handle) = FILTER.get() {
        let _ = handle.reload(filter(log));
    }
}

/// What is logged.
fn filter(log: &Log) -> Targets {
    let level = log.level.parse().unwrap_or(tracing::Level::INFO);
    Targets::new()
        .with_default(tracing::Level::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

fn text() -> impl Layer<Registry> + Send + Sync {
    tracing_subscriber::fmt::layer()
        .with_ansi(stdio::stderr_has_colour())
        .with_target(false)
        .with_writer(stdio::log)
}
