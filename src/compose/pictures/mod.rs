//! The issue's pictures: found beside its file, read, made fit for mail, and named by their content.
//!
//! What mail clients can't show becomes PNG or JPEG; what is wider than any client shows is made smaller; colours become
//! sRGB, and metadata is left out. A picture that can't be used is a finding, and its alt text is shown instead. Pictures
//! on the web stay there.

mod animation;
mod colours;
mod fit;
mod metadata;
mod scale;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use percent_encoding::percent_decode_str;

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Image, Issue, Picture};
use crate::model::{Finding, Severity};
use crate::{files, format};

/// Hexadecimal digits of the hash that make a picture's name.
const HASH_DIGITS: usize = 32;

/// The pictures that were found, by the author's `src`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pictures(BTreeMap<String, Picture>);

impl Pictures {
    /// The picture that the author named so; `None` where it is missing, or lies on the web.
    pub(crate) fn get(&self, src: &str) -> Option<&Picture> {
        self.0.get(src)
    }

    /// Every picture, ordered by the author's names for them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Picture> {
        self.0.values()
    }
}

/// Pictures that were loaded elsewhere, by their own names.
impl FromIterator<Picture> for Pictures {
    fn from_iter<I: IntoIterator<Item = Picture>>(pictures: I) -> Self {
        Pictures(
            pictures
                .into_iter()
                .map(|picture| (picture.src.clone(), picture))
                .collect(),
        )
    }
}

/// Loads every picture of the issue that is named by a path relative to `folder`, the folder of its file.
///
/// What is missing, damaged, too large or outside the folder is a finding of severity error, once a name, at
/// the first line that names it; the caller fills in the file.
pub(crate) fn load(issue: &Issue, folder: &Path) -> (Pictures, Vec<Finding>) {
    let mut pictures = Pictures::default();
    let mut findings = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for image in images(issue) {
        if on_the_web(&image.src) || !seen.insert(&image.src) {
            continue;
        }
        match load_one(image, folder) {
            Ok(picture) => {
                pictures.0.insert(image.src.clone(), picture);
            }
            Err(refusal) => {
                let message = format!("{}: {}", refusal.what, image.src);
                let finding = Finding::new(Severity::Error, refusal.code, message, refusal.help);
                findings.push(if image.line > 0 {
                    finding.at(image.line, None)
                } else {
                    finding
                });
            }
        }
    }
    (pictures, findings)
}

/// Why a picture can't be used.
#[derive(Debug)]
struct Refusal {
    code: &'static str,
    /// What is the matter; the name of the picture follows.
    what: String,
    help: &'static str,
}

impl Refusal {
    fn new(code: &'static str, what: impl Into<String>, help: &'static str) -> Self {
        Self {
            code,
            what: what.into(),
            help,
        }
    }
}

fn load_one(image: &Image, folder: &Path) -> Result<Picture, Refusal> {
    let path = find(&image.src, folder)?;
    let bytes = read(&path, folder)?;
    let fitted = fit::fit_for_mail(bytes)?;
    let mut hash = HEXLOWER.encode(digest(&SHA256, &fitted.bytes).as_ref());
    hash.truncate(HASH_DIGITS);
    Ok(Picture {
        src: image.src.clone(),
        path,
        hash,
        ext: fitted.ext,
        bytes: fitted.bytes,
        width_px: fitted.width_px,
        height_px: fitted.height_px,
    })
}

/// The file that a name means; nothing above or beside the issue's folder, nor behind a link that leads there.
fn find(src: &str, folder: &Path) -> Result<PathBuf, Refusal> {
    let outside = || {
        Refusal::new(
            "picture-outside",
            "this picture is outside the issue's folder",
            "Move it into the issue's folder or below it, and use its path from there.",
        )
    };
    let missing = || {
        Refusal::new(
            "picture-missing",
            "no such picture",
            "Put it beside the issue's file, or remove the line.",
        )
    };
    if src.is_empty() {
        return Err(Refusal::new(
            "picture-missing",
            "this picture has no file name",
            "Write the path between the parentheses.",
        ));
    }
    let inside = |name: &str| {
        !name.contains(['\\', '\0', ':'])
            && Path::new(name)
                .components()
                .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    };
    // As written, else with %20 and the like read as browsers read them.
    let decoded = percent_decoded(src);
    for name in [Some(src), decoded.as_deref()].into_iter().flatten() {
        if !inside(name) {
            return Err(outside());
        }
        let path = folder.join(name);
        let (Ok(real), Ok(home)) = (path.canonicalize(), folder_of(folder).canonicalize()) else {
            continue;
        };
        return if real.starts_with(home) {
            Ok(path)
        } else {
            Err(outside())
        };
    }
    Err(missing())
}

fn folder_of(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

fn read(path: &Path, folder: &Path) -> Result<Vec<u8>, Refusal> {
    let unreadable = |error: &std::io::Error| {
        let what = format!("this picture can't be read ({})", format::io(error));
        Refusal::new("picture-unreadable", what, "Check the file's permissions.")
    };
    if path.is_dir() {
        return Err(Refusal::new(
            "picture-missing",
            "this is not a file",
            "Name a picture, not a folder.",
        ));
    }
    let bytes = files::read_within(folder_of(folder), path, files::PICTURE_MAX_BYTES);
    bytes.map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => Refusal::new(
            "picture-too-large",
            "this picture is larger than 20 MB",
            "Save it with fewer pixels: mails are at most 1200 px wide.",
        ),
        _ => unreadable(&error),
    })
}

fn on_the_web(src: &str) -> bool {
    ["http://", "https://"].iter().any(|s| {
        src.get(..s.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(s))
    })
}

/// The name with its percent-escapes read; `None` where there are none, or where they spell no text.
fn percent_decoded(name: &str) -> Option<String> {
    let decoded = percent_decode_str(name).decode_utf8().ok()?;
    (decoded != name).then(|| decoded.into_owned())
}

/// Every picture that the issue names, in reading order.
fn images(issue: &Issue) -> Vec<&Image> {
    let mut found: Vec<&Image> = issue.meta.cover.iter().collect();
    walk::parts(&issue.parts, &mut |seen| {
        if let Seen::Image(image) = seen {
            found.push(image);
        }
    });
    found
}

#[cfg(test)]
mod tests;
