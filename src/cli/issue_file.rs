//! An author's file on its way through a command: read, its list found, composed, and what is wrong said.

use std::path::{Path, PathBuf};

use crate::compose::theme::ThemeError;
use crate::config::Settings;
use crate::model::{Finding, List, Severity};
use crate::publish::{self, Manuscript, Press, Proof, PublishError};
use crate::stdio;

use super::context::pick;
use super::{Answer, Context, Failure, findings};

/// Reads the file of an issue.
///
/// # Errors
/// It can't be read (2), or its front matter is malformed (1), with file and line.
pub(super) fn read(file: &Path) -> Result<Manuscript, Failure> {
    publish::read(file).map_err(Failure::from)
}

/// The list that an issue is for: `--list`, else its own `list`, else the only one.
///
/// # Errors
/// There is no such list, or the two disagree.
pub(super) fn list<'s>(
    context: &Context,
    settings: &'s Settings,
    manuscript: &Manuscript,
) -> Result<&'s List, Failure> {
    let asked = context.common.list.as_deref();
    let own = manuscript.issue.meta.list.as_deref();
    if let (Some(asked), Some(own)) = (asked, own)
        && asked != own
    {
        return Err(Failure::new(format!(
            "the issue is for the list {own}, but --list is {asked}"
        ))
        .at(manuscript.shown.clone())
        .help("Leave out --list, or change `list` in the front matter."));
    }
    pick(&settings.lists, asked.or(own))
}

/// The list that an issue is for; without a settings file it is the default list, whatever the issue says.
///
/// # Errors
/// There is no such list, or the two disagree.
pub(super) fn list_or_default<'s>(
    context: &Context,
    settings: &'s Settings,
    manuscript: &Manuscript,
) -> Result<&'s List, Failure> {
    match (&settings.file, settings.lists.first()) {
        (None, Some(only)) => Ok(only),
        _ => list(context, settings, manuscript),
    }
}

/// Where the pictures of a letter are served.
pub(super) fn media_base(settings: &Settings) -> String {
    settings
        .public_url
        .as_deref()
        .map_or_else(String::new, |url| format!("{url}/media/"))
}

/// The folder of the author's own themes.
pub(super) fn themes(settings: &Settings) -> PathBuf {
    settings.folder.join("themes")
}

/// Composes an issue as its mails will have it.
///
/// # Errors
/// The theme is at fault.
pub(super) fn compose(
    settings: &Settings,
    list: &List,
    manuscript: Manuscript,
    media_base: &str,
) -> Result<Proof, Failure> {
    let press = Press {
        list,
        themes: &themes(settings),
        media_base,
        public_url: settings.public_url.as_deref(),
    };
    publish::compose(manuscript, &press).map_err(Failure::from)
}

/// Prints what stops a send, and says how many there are; `None` where nothing does.
pub(super) fn stopped_by(context: &Context, found: &[Finding]) -> Result<Option<Answer>, Failure> {
    let errors: Vec<Finding> = found
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .cloned()
        .collect();
    if errors.is_empty() {
        return Ok(None);
    }
    context.print_findings(&errors)?;
    stdio::eprintln(format_args!(
        "{}: nothing was queued. Add --force to send anyway.",
        findings::sum(&errors)
    ));
    Ok(Some(Answer::No))
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::File { file, error } => {
                let why = crate::format::io(&error);
                let help = if why.contains("larger than") {
                    "Split the issue, and put its pictures beside it as files; Gmail cuts a mail at 102 KB."
                } else if why.contains("out of its folder") {
                    "Name the file itself, or copy it into this folder."
                } else {
                    "Name the Markdown file of an issue."
                };
                Failure::new(format!("the issue can't be read: {why}"))
                    .at(file)
                    .help(help)
            }
            PublishError::FrontMatter(findings) => {
                let Some(first) = findings.first() else {
                    return Failure::no("the front matter can't be read");
                };
                Failure::no(first.message.clone())
                    .at(first.place())
                    .help(first.help.clone())
            }
            PublishError::Theme(error) => Failure::from(error),
        }
    }
}

impl From<ThemeError> for Failure {
    fn from(error: ThemeError) -> Self {
        let failure = Failure::new(error.what).help(error.help);
        match error.place {
            Some(place) => failure.at(place),
            None => failure,
        }
    }
}
