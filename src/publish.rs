//! A file becomes an issue in the database: read, pictures found, composed, checked, stored.
//!
//! `send`, the schedule and `demo` all go this way, so that they check and store the same; `check`, `render` and `test`
//! leave out the last step. What is stored never changes afterwards: later edits of the file have no effect.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::compose::pictures::{self, Pictures};
use crate::compose::theme::{Theme, ThemeError};
use crate::compose::{self, Composed, Setting};
use crate::link::utm::{Facts, Tagger};
use crate::manuscript::{self, Parsed};
use crate::model::issue::Issue;
use crate::model::waiting::Reason;
use crate::model::{Finding, List, ListId, Rendered, Severity};
use crate::store::issues::{Firing, NewIssue, QueuedBy, Queueing};
use crate::store::{Store, StoreError};
use crate::{files, format};

type Result<T, E = PublishError> = std::result::Result<T, E>;

/// Why a file could not be made into an issue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The file can't be read.
    #[error("{file} can't be read: {}", format::io(.error))]
    File {
        /// As the author named it.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Its front matter is malformed, so nothing can be said about the rest. There is at least one finding.
    #[error("{}", .0.first().map_or("the front matter can't be read", |f| f.message.as_str()))]
    FrontMatter(Vec<Finding>),
    /// The list's theme can't be used.
    #[error(transparent)]
    Theme(#[from] ThemeError),
}

/// An author's file, read but not yet set in a theme.
#[derive(Debug)]
pub(crate) struct Manuscript {
    /// The file, absolute.
    pub file: PathBuf,
    /// The file's name in findings.
    pub shown: String,
    /// What was read from it.
    pub issue: Issue,
    findings: Vec<Finding>,
}

/// Reads a file, without its pictures.
///
/// # Errors
/// It can't be read, or its front matter is malformed.
pub(crate) fn read(file: &Path) -> Result<Manuscript> {
    let shown = file.display().to_string();
    let failed = |error| PublishError::File {
        file: shown.clone(),
        error,
    };
    let absolute = std::path::absolute(file).map_err(failed)?;
    let bytes = files::read(file, files::ISSUE_MAX_BYTES).map_err(failed)?;
    let slug = slug(file);
    let (text, not_utf8) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(e) => {
            let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            (
                String::from_utf8_lossy(e.as_bytes()).into_owned(),
                Some(line),
            )
        }
    };
    let Parsed {
        issue,
        mut findings,
    } = manuscript::read(&text, &shown, &slug).map_err(PublishError::FrontMatter)?;
    if let Some(line) = not_utf8 {
        let mut finding = Finding::new(
            Severity::Error,
            "not-utf8",
            "this file is not UTF-8; what could not be read is shown as �",
            "Save the file as UTF-8.",
        )
        .at(line, None);
        finding.file.clone_from(&shown);
        findings.push(finding);
    }
    Ok(Manuscript {
        file: absolute,
        shown,
        issue,
        findings,
    })
}

/// A file's name without its ending: what stands in commands and `{slug}`.
pub(crate) fn slug(file: &Path) -> String {
    file.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// What an issue is composed with, beside the author's file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Press<'a> {
    /// The list that it is for.
    pub list: &'a List,
    /// The folder of the author's own themes.
    pub themes: &'a Path,
    /// What the URLs of pictures begin with; empty if they lie beside the HTML.
    pub media_base: &'a str,
    /// What our own links begin with: they get no UTM parameters.
    pub public_url: Option<&'a str>,
}

/// A composed issue with everything that was found about it.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// The author's file, absolute.
    pub file: PathBuf,
    /// What was read from it.
    pub issue: Issue,
    /// The pictures beside it, made fit for mail.
    pub pictures: Pictures,
    /// The mail.
    pub composed: Composed,
    /// Errors first, then in the order of the file.
    pub findings: Vec<Finding>,
}

/// Composes a manuscript: finds its pictures, sets it in its theme, checks it.
///
/// # Errors
/// The theme can't be used. What is wrong with the manuscript becomes findings.
pub(crate) fn compose(manuscript: Manuscript, press: &Press) -> Result<Proof> {
    let Manuscript {
        file,
        shown,
        mut issue,
        mut findings,
    } = manuscript;
    compose::name_by_list(&mut issue, press.list);
    let theme = Theme::load(&press.list.theme, Some(press.themes))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let (pictures, missing) = pictures::load(&issue, folder);
    findings.extend(missing.into_iter().map(|found| softened(found, &issue)));
    let facts = Facts {
        list_name: &press.list.name,
        number: issue.meta.number,
        date: issue.meta.date,
        slug: &issue.slug,
        campaign: issue.meta.utm_campaign.as_deref(),
    };
    let tagger = Tagger::new(&press.list.utm, &facts, press.public_url);
    let setting = Setting {
        list: press.list,
        theme: &theme,
        pictures: &pictures,
        media_base: press.media_base,
        tagger: &tagger,
    };
    let composed = compose::compose(&issue, &setting)?;
    let mut findings = compose::check::findings(&issue, &findings, &composed);
    for finding in &mut findings {
        if finding.file.is_empty() {
            finding.file.clone_from(&shown);
        }
    }
    Ok(Proof {
        file,
        issue,
        pictures,
        composed,
        findings,
    })
}

/// A cover that was named for another program is no error where it is missing: the mail goes without it.
fn softened(finding: Finding, issue: &Issue) -> Finding {
    let line = issue.meta.cover.as_ref().map(|cover| cover.line);
    if issue.meta.is_cover_borrowed && finding.line == line {
        return Finding {
            severity: Severity::Warning,
            ..finding
        };
    }
    finding
}

/// When a proof goes out, to which list, and who queues it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The list that it goes to.
    pub list: ListId,
    /// Who queues it.
    pub queued_by: QueuedBy,
    /// When it is queued.
    pub queued_at: Timestamp,
    /// When it is to go out.
    pub due_at: Timestamp,
    /// Why it is held, if it must not go out by itself.
    pub hold: Option<Reason>,
    /// Whether one that is still scheduled may be replaced.
    pub replace: bool,
    /// The time of the list's schedule that this acts upon, if the schedule queues it.
    pub firing: Option<Firing>,
}

impl Proof {
    /// The proof as an issue of a list, which its author queues at `now` to go out at once.
    pub(crate) fn into_new_issue(self, list: ListId, now: Timestamp) -> NewIssue {
        NewIssue {
            number: self.issue.meta.number,
            title: self.issue.meta.title,
            file: self.file,
            pictures: self.pictures.iter().cloned().collect(),
            ..NewIssue::new(list, self.issue.slug, self.composed.rendered, now)
        }
    }
}

/// Stores a proof with its pictures in one transaction.
///
/// # Errors
/// [`StoreError`]; then nothing was kept.
pub(crate) async fn queue(
    store: &Store,
    proof: Proof,
    order: Order,
) -> std::result::Result<Queueing, StoreError> {
    let issue = proof.into_new_issue(order.list, order.queued_at);
    queue_as(store, issue, order).await
}

/// Stores that an issue could not be rendered, held with the reason of `order`. It has no content, so it can't
/// go out: its author fixes the file and sends it.
///
/// # Errors
/// [`StoreError`]; then nothing was kept.
pub(crate) async fn queue_unrendered(
    store: &Store,
    file: &Path,
    order: Order,
) -> std::result::Result<Queueing, StoreError> {
    let content = Rendered::missing();
    let issue = NewIssue {
        file: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
        ..NewIssue::new(order.list, slug(file), content, order.queued_at)
    };
    queue_as(store, issue, order).await
}

async fn queue_as(
    store: &Store,
    issue: NewIssue,
    order: Order,
) -> std::result::Result<Queueing, StoreError> {
    store
        .queue_issue(NewIssue {
            queued_by: order.queued_by,
            due_at: order.due_at,
            hold: order.hold,
            replace: order.replace,
            firing: order.firing,
            ..issue
        })
        .await
}
