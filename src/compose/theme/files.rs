//! The files of a theme: a folder beside the letter, or the copy inside the binary.

use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;

use super::{LAYOUT, ThemeError};
use crate::format;

/// `mjml/`, so that one file is enough to run.
#[derive(RustEmbed)]
#[folder = "mjml/"]
struct Embedded;

pub(super) const MANIFEST: &str = "theme.toml";
/// The largest file a theme may hold.
const FILE_MAX_BYTES: usize = 256 * 1024;

/// The texts of a theme, with line ends as LF.
#[derive(Debug)]
pub(super) struct Files {
    pub name: String,
    pub manifest: String,
    /// By file name; `layout.mjml` is among them.
    pub templates: BTreeMap<String, String>,
}

/// Reads a theme's files.
pub(super) fn read(name: &str, themes_dir: Option<&Path>) -> Result<Files, ThemeError> {
    if !is_proper(name) {
        return Err(ThemeError(format!(
            "“{name}” can't be the name of a theme: letters, digits, - and _ are allowed."
        )));
    }
    let beside = themes_dir
        .map(|dir| dir.join(name))
        .filter(|dir| dir.is_dir());
    let mut texts = match &beside {
        Some(folder) => read_folder(folder)?,
        None => read_embedded(name),
    };
    let missing = |file: &str| {
        let place = beside
            .as_ref()
            .map_or_else(|| format!("theme {name}"), |f| f.display().to_string());
        ThemeError(format!(
            "The theme in {place} has no {file}. Copy it from one of the themes inside."
        ))
    };
    if texts.is_empty() && beside.is_none() {
        return Err(ThemeError(format!(
            "There is no theme “{name}”. Inside are: {}.",
            embedded().join(", ")
        )));
    }
    let manifest = texts.remove(MANIFEST).ok_or_else(|| missing(MANIFEST))?;
    if !texts.contains_key(LAYOUT) {
        return Err(missing(LAYOUT));
    }
    Ok(Files {
        name: name.to_owned(),
        manifest,
        templates: texts,
    })
}

/// Whether a text can be the name of a theme, and so of a folder.
fn is_proper(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Every name that there is a theme of, sound or not; a folder that can't be read holds none.
pub(super) fn names(themes_dir: Option<&Path>) -> Vec<String> {
    let mut names = embedded();
    let beside = themes_dir
        .and_then(|dir| std::fs::read_dir(dir).ok())
        .into_iter()
        .flatten()
        .flatten();
    names.extend(
        beside
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| is_proper(name)),
    );
    names.sort();
    names.dedup();
    names
}

/// The names of the themes inside that issues can be set in.
fn embedded() -> Vec<String> {
    let mut names: Vec<String> = Embedded::iter()
        .filter_map(|path| path.split_once('/').map(|(name, _)| name.to_owned()))
        .filter(|name| name != "transactional")
        .collect();
    names.sort();
    names.dedup();
    names
}

fn read_embedded(name: &str) -> BTreeMap<String, String> {
    Embedded::iter()
        .filter_map(|path| {
            let file = path.strip_prefix(name)?.strip_prefix('/')?.to_owned();
            let text = Embedded::get(&path)?;
            Some((file, lines(&String::from_utf8_lossy(&text.data))))
        })
        .collect()
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, ThemeError> {
    let refuse =
        |path: &Path, why: &str| ThemeError(format!("{} can't be read: {why}.", path.display()));
    let entries = std::fs::read_dir(folder).map_err(|e| refuse(folder, &format::io(&e)))?;
    let mut texts = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|e| refuse(folder, &format::io(&e)))?.path();
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if file != MANIFEST && !file.ends_with(".mjml") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| refuse(&path, &format::io(&e)))?;
        if bytes.len() > FILE_MAX_BYTES {
            return Err(refuse(&path, "it is larger than 256 KB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| refuse(&path, "it is not UTF-8"))?;
        texts.insert(file, lines(&text));
    }
    Ok(texts)
}

/// mrml stumbles over CR in places.
fn lines(text: &str) -> String {
    text.trim_start_matches('\u{feff}')
        .replace("\r\n", "\n")
        .replace('\r', "\n")
}

impl Files {
    /// An error at a place in one of the files; lines count from 1.
    pub(super) fn error_at(&self, file: &str, line: usize, why: &str) -> ThemeError {
        ThemeError(format!("{}/{file}:{line}: {why}.", self.name))
    }

    pub(super) fn template_error(&self, error: &minijinja::Error) -> ThemeError {
        template_error(&self.name, error)
    }
}

/// The template engine's error in our form.
pub(super) fn template_error(theme: &str, error: &minijinja::Error) -> ThemeError {
    // An include wraps the error of the file it includes, which is the one to look at.
    let mut error = error;
    while let Some(inner) =
        std::error::Error::source(error).and_then(|e| e.downcast_ref::<minijinja::Error>())
    {
        error = inner;
    }
    let file = error.name().unwrap_or(LAYOUT);
    let line = error
        .line()
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let why = error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    );
    ThemeError(format!("{theme}/{file}{line}: {why}."))
}
