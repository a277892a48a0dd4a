//! The settings: the only reader of `letterpress.toml` and of the environment.
//!
//! It hands out plain structs and explains what is wrong, all at once, with file, line and the nearest name.
//! What the values mean is left to the rooms they are for. Known to `cli` and `app` alone.

mod advice;
mod build;
mod domains;
mod environment;
pub(crate) mod keys;
mod parse;
mod relays;
mod show;
mod values;

use std::path::{Path, PathBuf};

use crate::delivery;
use crate::files;
use crate::model::network::Cidr;
use crate::model::{Finding, List, Severity};

pub(crate) use advice::is_loopback;
pub(crate) use environment::user;
pub(crate) use show::{Shown, show};

/// The name that is looked for, here and upwards.
pub(crate) const FILE: &str = "letterpress.toml";

/// A letter's first settings, with comments; what `init` writes.
pub(crate) const SAMPLE: &str = include_str!("../../deploy/letterpress.toml");

/// What holds where a command needs no settings and there are none.
const WITHOUT_A_FILE: &str =
    "[list.newsletter]\nname = \"Newsletter\"\nfrom = \"newsletter@example.org\"\n";

/// Whether a command can do without a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
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
    /// `[web] trusted_proxies`.
    pub trusted_proxies: Vec<Cidr>,
    /// `[store] path`.
    pub database: PathBuf,
    pub log: Log,
    /// `[relay.NAME]`, in the order of their names, and `[sending]`.
    pub sending: delivery::Settings,
    /// In the order of their keys.
    pub lists: Vec<List>,
}

/// `[log]`
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
    /// `auto`, `text`, `json` or `journald`.
    pub format: &'static str,
}

/// What is wrong with the settings.
#[derive(Debug)]
pub enum ConfigError {
    /// There is no file where one is needed, or it can't be read; says where it was looked for.
    Missing(String),
    /// The file is there and can't be read; says why.
    Unreadable { file: String, why: String },
    /// At least one finding is an error.
    Wrong(Vec<Finding>),
}

/// Settings as they were found, right or wrong.
#[derive(Debug)]
pub(crate) struct Examined {
    pub settings: Settings,
    /// Errors first, each in the order of the file.
    pub findings: Vec<Finding>,
    values: values::Values,
}

impl Examined {
    /// Whether a list's setting was given, and has not its default.
    pub(crate) fn sets(&self, list: &List, name: &str) -> bool {
        self.values
            .set
            .contains_key(&["list", list.key.as_str(), name].map(str::to_owned)[..])
    }

    /// A finding about a list's setting, at the place that its value came from.
    ///
    /// For what only the rooms that a value is for can tell, such as whether there is such a theme.
    pub(crate) fn about_list(
        &self,
        severity: Severity,
        (list, name): (&List, &str),
        message: &str,
        help: &str,
    ) -> Finding {
        let path = ["list", list.key.as_str(), name].map(str::to_owned);
        let origin = self
            .values
            .set
            .get(&path[..])
            .map_or(&values::Origin::Default, |(_, origin)| origin);
        let message = format!("{}: {message}", path.join("."));
        self.values
            .finding(severity, "value", origin, message, help.to_owned())
    }
}

/// Finds and reads the settings: `given` (`--config`, `LETTERPRESS_CONFIG`), or `letterpress.toml` in the
/// current folder and upwards.
///
/// # Errors
/// [`ConfigError::Missing`], and [`ConfigError::Wrong`] where a finding is an error.
pub(crate) fn load(given: Option<&Path>, need: Need) -> Result<Settings, ConfigError> {
    let examined = examine(given, need)?;
    if examined
        .findings
        .iter()
        .any(|f| f.severity == Severity::Error)
    {
        return Err(ConfigError::Wrong(examined.findings));
    }
    Ok(examined.settings)
}

/// The settings that hold where there is no file.
#[cfg(test)]
pub(crate) fn defaults() -> Settings {
    read(WITHOUT_A_FILE, "", Path::new(""), []).settings
}

/// The settings of a text in the folder `/letter`, for tests.
#[cfg(test)]
pub(crate) fn of_text(text: &str) -> Settings {
    let examined = read(text, FILE, Path::new("/letter"), []);
    assert!(
        !examined
            .findings
            .iter()
            .any(|f| f.severity == Severity::Error),
        "{:?}",
        examined.findings
    );
    examined.settings
}

/// As [`load`], but hands out what is wrong, too.
///
/// # Errors
/// [`ConfigError::Missing`], [`ConfigError::Unreadable`]
pub(crate) fn examine(given: Option<&Path>, need: Need) -> Result<Examined, ConfigError> {
    let file = match given {
        Some(file) => Some(file.to_owned()),
        None => find_upwards()?,
    };
    let Some(file) = file else {
        if need == Need::File {
            let place =
                std::env::current_dir().map_or_else(|_| "here".into(), |p| p.display().to_string());
            return Err(ConfigError::Missing(format!(
                "there is no {FILE} in {place} or above"
            )));
        }
        return Ok(read(WITHOUT_A_FILE, "", Path::new(""), std::env::vars()));
    };
    let text = files::read_text(&file, files::SETTINGS_MAX_BYTES).map_err(|e| {
        let (file, why) = (file.display().to_string(), crate::format::io(&e));
        match e.kind() {
            std::io::ErrorKind::NotFound => {
                ConfigError::Missing(format!("there is no file {file}"))
            }
            _ => ConfigError::Unreadable { file, why },
        }
    })?;
    // Empty for a file in the current folder, so that paths stay as short as people know them.
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut examined = read(&text, &file.display().to_string(), folder, std::env::vars());
    examined
        .findings
        .extend(advice::open_passwords(&file, &examined.values));
    examined.findings.sort_by_key(|f| (f.severity, f.line));
    examined.settings.file = Some(file);
    Ok(examined)
}

/// Reads settings from a text, with variables laid over it.
fn read(
    text: &str,
    file: &str,
    folder: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Examined {
    let (mut values, mut findings) = values::read(text, file);
    // Of a file that is no TOML, nothing further can be said.
    let readable = !findings.iter().any(|f| f.code == "toml");
    environment::overlay(&mut values, variables, &mut findings);
    let mut more = Vec::new();
    let settings = build::build(&values, folder, &mut more);
    if readable {
        findings.extend(more);
        findings.extend(advice::advice(&settings, &values));
    }
    findings.sort_by_key(|f| (f.severity, f.line));
    Examined {
        settings,
        findings,
        values,
    }
}

/// A text as the file takes it, between quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `letterpress.toml` here or above, named as short as can be.
fn find_upwards() -> Result<Option<PathBuf>, ConfigError> {
    if Path::new(FILE).is_file() {
        return Ok(Some(PathBuf::from(FILE)));
    }
    let here = std::env::current_dir().map_err(|e| {
        ConfigError::Missing(format!(
            "the current folder can't be read: {}",
            crate::format::io(&e)
        ))
    })?;
    Ok(here
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(FILE))
        .find(|file| file.is_file()))
}

#[cfg(test)]
mod tests;
