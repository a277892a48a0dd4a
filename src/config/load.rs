//! Finding the settings file, reading it, and gathering everything that is wrong with it.

use std::path::{Path, PathBuf};

use crate::files;
use crate::model::{Finding, List, Severity};

use super::settings::Settings;
use super::values::{self, Origin, Values};
use super::{advice, build, environment, relays};

/// The name that is looked for, here and upwards.
pub(crate) const FILE: &str = "letterpress.toml";

/// The first settings of a newsletter, with comments; what `init` writes.
pub(crate) const SAMPLE: &str = include_str!("../../deploy/letterpress.toml");

/// The settings of a command that needs none and finds none.
pub(super) const WITHOUT_A_FILE: &str =
    "[list.newsletter]\nname = \"Newsletter\"\nfrom = \"newsletter@example.org\"\n";

/// Whether a command needs a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It does.
    File,
    /// It does not: without one, the defaults hold.
    Nothing,
}

/// Why there are no settings to use.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// No settings file was named, and there is none in this folder or above it.
    NoneFound {
        /// The folder where the search began.
        folder: PathBuf,
    },
    /// The file that was named does not exist.
    NoSuchFile {
        /// The file.
        file: PathBuf,
    },
    /// The current folder can't be read, so no file can be searched for.
    CurrentFolder(std::io::Error),
    /// The file can't be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not UTF-8.
    NotUtf8 {
        /// The file.
        file: PathBuf,
    },
    /// At least one of the findings is an error.
    Wrong(Vec<Finding>),
}

/// Settings with what is wrong with them.
#[derive(Debug)]
pub(crate) struct Examined {
    /// The settings; with an error among the findings, parts of them are empty.
    pub settings: Settings,
    /// Errors first, each in the order of the file.
    pub findings: Vec<Finding>,
    /// What was set, and where.
    pub(super) values: Values,
}

impl Examined {
    /// Whether a list's setting was set, in the file or the environment.
    pub(crate) fn sets(&self, list: &List, name: &str) -> bool {
        self.values
            .set
            .contains_key(&["list", list.key.as_str(), name].map(str::to_owned)[..])
    }

    /// Adds what is wrong with the files that connections to relays need. Other commands work without them.
    pub(crate) fn check_files(&mut self) {
        self.findings
            .extend(relays::files(&self.settings, &self.values));
        self.findings.sort_by_key(|f| (f.severity, f.line));
    }

    /// The settings.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] where a finding is an error.
    pub(crate) fn sound(&self) -> Result<&Settings, ConfigError> {
        if self.findings.iter().any(|f| f.severity == Severity::Error) {
            return Err(ConfigError::Wrong(self.findings.clone()));
        }
        Ok(&self.settings)
    }

    /// A finding about a list's setting, at the place that its value came from.
    ///
    /// For checks that need other rooms, such as whether a theme exists.
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
            .map_or(&Origin::Default, |(_, origin)| origin);
        let message = format!("{}: {message}", path.join("."));
        self.values
            .finding(severity, "value", origin, message, help.to_owned())
    }
}

/// Finds and reads the settings: `given` (`--config`, `LETTERPRESS_CONFIG`), or `letterpress.toml` in the
/// current folder and upwards.
///
/// # Errors
/// [`ConfigError`]: there is no file to read, or a finding is an error.
pub(crate) fn load(given: Option<&Path>, need: Need) -> Result<Settings, ConfigError> {
    examine(given, need)?.sound().cloned()
}

/// Finds and reads the settings for a command that connects to relays: with the files that it needs, such as those of
/// passwords.
///
/// # Errors
/// [`ConfigError`]: there is no file to read, or a finding is an error.
pub(crate) fn load_to_connect(given: Option<&Path>) -> Result<Examined, ConfigError> {
    let mut examined = examine(given, Need::File)?;
    examined.check_files();
    examined.sound()?;
    Ok(examined)
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

/// Finds and reads the settings, and gives them with everything that is wrong with them.
///
/// # Errors
/// [`ConfigError`] if there is no file to read; never [`ConfigError::Wrong`].
pub(crate) fn examine(given: Option<&Path>, need: Need) -> Result<Examined, ConfigError> {
    let file = match given {
        Some(file) => Some(file.to_owned()),
        None => find_upwards()?,
    };
    let Some(file) = file else {
        if need == Need::File {
            let folder = current_folder()?;
            return Err(ConfigError::NoneFound { folder });
        }
        return Ok(read(WITHOUT_A_FILE, "", Path::new(""), std::env::vars()));
    };
    let text = text_of(&file)?;
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

/// The text of a settings file.
fn text_of(file: &Path) -> Result<String, ConfigError> {
    let bytes = files::read(file, files::SETTINGS_MAX_BYTES).map_err(|error| {
        let file = file.to_owned();
        match error.kind() {
            std::io::ErrorKind::NotFound => ConfigError::NoSuchFile { file },
            _ => ConfigError::Unreadable { file, error },
        }
    })?;
    String::from_utf8(bytes).map_err(|_| ConfigError::NotUtf8 {
        file: file.to_owned(),
    })
}

/// Reads settings from a text, with variables laid over it.
pub(super) fn read(
    text: &str,
    file: &str,
    folder: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Examined {
    let (mut values, mut findings) = values::read(text, file);
    // Of a file that is not TOML, nothing further can be said.
    let readable = !findings.iter().any(|f| f.code == "toml");
    let variables: Vec<(String, String)> = variables.into_iter().collect();
    environment::overlay(&mut values, variables.iter().cloned(), &mut findings);
    findings.extend(environment::misspelt(&values, variables));
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

/// `letterpress.toml` here or above, named as short as can be.
fn find_upwards() -> Result<Option<PathBuf>, ConfigError> {
    if Path::new(FILE).is_file() {
        return Ok(Some(PathBuf::from(FILE)));
    }
    Ok(current_folder()?
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(FILE))
        .find(|file| file.is_file()))
}

fn current_folder() -> Result<PathBuf, ConfigError> {
    std::env::current_dir().map_err(ConfigError::CurrentFolder)
}
