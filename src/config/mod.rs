//! The settings: the only reader of `letterpress.toml` and of the environment.
//!
//! It hands out plain structs and explains what is wrong, all at once, with file, line and the nearest name.
//! What the values mean is left to the rooms they are for. Known to `cli` and `app` alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{Finding, List};

/// Whether a command can do without a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// There must be one.
    File,
    /// Without one, the defaults serve.
    Nothing,
}

/// Everything that was set, checked and with its defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file it came from; `None` where the defaults serve.
    pub file: Option<PathBuf>,
    /// The folder that paths in the file are relative to.
    pub folder: PathBuf,
    /// `[web] listen`, host and port.
    pub listen: String,
    /// `[web] public_url`, without a slash at its end.
    pub public_url: Option<String>,
    /// `[store] path`.
    pub database: PathBuf,
    /// `[sending] hold_when_late`.
    pub hold_when_late: Duration,
    /// At least one, in the order of their keys.
    pub lists: Vec<List>,
}

/// What is wrong with the settings.
#[derive(Debug)]
pub enum ConfigError {
    /// There is no file where one is needed; says where it was looked for.
    Missing(String),
    /// At least one finding is an error.
    Wrong(Vec<Finding>),
}

/// Finds and reads the settings: `given` (`--config`, `LETTERPRESS_CONFIG`), or `letterpress.toml` in the
/// current folder and upwards.
///
/// # Errors
/// [`ConfigError`]
pub fn load(_given: Option<&Path>, _need: Need) -> Result<Settings, ConfigError> {
    Err(ConfigError::Missing("the settings can't be read yet".into()))
}
