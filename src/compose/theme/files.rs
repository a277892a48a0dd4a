//! The files of a theme: a folder of the author's, or the copy inside the binary.

use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;

use super::LAYOUT;
use super::error::ThemeError;
use crate::{files, format};

/// `mjml/`, so that one file is enough to run.
#[derive(RustEmbed)]
#[folder = "mjml/"]
struct Embedded;

/// The file of colours, sizes and styles.
pub(super) const MANIFEST: &str = "theme.toml";
/// The largest file a theme may hold.
const FILE_MAX_BYTES: u64 = 256 * 1024;
/// The most files a theme may have.
const FILES_MAX: usize = 100;

/// The texts of a theme, with line ends as LF.
#[derive(Debug)]
pub(super) struct Files {
    /// The name of the theme, which is that of its folder.
    pub name: String,
    /// The text of `theme.toml`.
    pub manifest: String,
    /// By file name; `layout.mjml` is among them.
    pub templates: BTreeMap<String, String>,
}

/// Reads a theme's files.
pub(super) fn read(name: &str, themes_dir: Option<&Path>) -> Result<Files, ThemeError> {
    if !is_proper(name) {
        return Err(ThemeError::new(
            format!("“{name}” can't be the name of a theme"),
            "Use only letters, digits, - and _.",
        ));
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
        let help = "Copy it from one of the built-in themes.";
        ThemeError::new(format!("the theme has no {file}"), help).at(place)
    };
    if texts.is_empty() && beside.is_none() {
        return Err(ThemeError::new(
            format!("there is no theme “{name}”"),
            format!("The built-in themes are {}.", embedded().join(", ")),
        ));
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
    let unreadable = |path: &Path, error: &std::io::Error| {
        let what = format!("can't be read: {}", format::io(error));
        let help = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "Check the file's permissions.",
            _ => "A theme has regular files of its own, each of at most 256 KB.",
        };
        ThemeError::new(what, help).at(path.display().to_string())
    };
    let refuse = |path: &Path, what: &str, help: &str| {
        ThemeError::new(what, help).at(path.display().to_string())
    };
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let mut texts = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|e| unreadable(folder, &e))?.path();
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if file != MANIFEST && !file.ends_with(".mjml") {
            continue;
        }
        if texts.len() == FILES_MAX {
            let help = "Remove those that the layout does not include.";
            return Err(refuse(
                folder,
                "a theme can't have more than 100 files",
                help,
            ));
        }
        let bytes =
            files::read_within(folder, &path, FILE_MAX_BYTES).map_err(|e| unreadable(&path, &e))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| refuse(&path, "this file is not UTF-8", "Save it as UTF-8."))?;
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
    /// A fault at a line, counted from 1, of one of the files.
    pub(super) fn error_at(&self, file: &str, line: usize, what: impl Into<String>) -> ThemeError {
        ThemeError::in_file(&self.name, file, line, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_brings_no_file_of_another_folder() {
        let dir = tempfile::tempdir().unwrap();
        let theme = dir.path().join("themes/pretty");
        std::fs::create_dir_all(&theme).unwrap();
        std::fs::write(dir.path().join("smtp-password"), "open-sesame").unwrap();
        std::fs::write(theme.join(MANIFEST), "").unwrap();
        std::fs::write(theme.join(LAYOUT), "<mjml></mjml>").unwrap();
        let read = || read("pretty", Some(&dir.path().join("themes"))).map(|files| files.templates);
        assert_eq!(read().unwrap().len(), 1);
        for (target, why) in [
            ("../../smtp-password", "out of its folder"),
            ("/dev/zero", "not a regular file"),
        ] {
            for name in ["extra.mjml", LAYOUT, MANIFEST] {
                let file = theme.join(name);
                let before = std::fs::read(&file).ok();
                let _ = std::fs::remove_file(&file);
                std::os::unix::fs::symlink(target, &file).unwrap();
                let refused = read().unwrap_err().to_string();
                assert!(refused.contains(name) && refused.contains(why), "{refused}");
                std::fs::remove_file(&file).unwrap();
                if let Some(before) = before {
                    std::fs::write(&file, before).unwrap();
                }
            }
        }
        std::fs::write(theme.join("large.mjml"), vec![b' '; 256 * 1024 + 1]).unwrap();
        let refused = read().unwrap_err().to_string();
        assert!(refused.contains("larger than 256 KB"), "{refused}");
    }
}
