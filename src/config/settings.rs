//! The settings as plain values, checked and with their defaults.

use std::path::PathBuf;

use crate::delivery;
use crate::model::List;
use crate::model::network::Cidr;

/// Everything that was set, checked and with its defaults.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The file that was read; `None`: there was none, and the defaults hold.
    pub file: Option<PathBuf>,
    /// The folder that paths in the file are relative to.
    pub folder: PathBuf,
    /// `[web] listen`, host and port.
    pub listen: String,
    /// `[web] public_url`, without a slash at its end; `None`: not set.
    pub public_url: Option<String>,
    /// `[web] trusted_proxies`.
    pub trusted_proxies: Vec<Cidr>,
    /// `[web] cors_origins`, as browsers write them.
    pub cors_origins: Vec<String>,
    /// `[store] path`.
    pub database: PathBuf,
    /// `[log]`.
    pub log: Log,
    /// `[relay.NAME]`, in the order of their names, and `[sending]`.
    pub sending: delivery::Settings,
    /// `[list.KEY]`, in the order of their keys.
    pub lists: Vec<List>,
}

/// `[log]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
    /// `auto`, `text`, `json` or `journald`.
    pub format: &'static str,
}
