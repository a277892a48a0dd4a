//! `new`: the file of the next issue, started from the last one.

use std::path::PathBuf;

use jiff::civil::Date;
use serde_json::json;

use crate::files;
use crate::manuscript::next;
use crate::model::List;
use crate::publish::{self, PublishError};
use crate::schedule::cron::Plan;

use super::init::{FIRST_ISSUE, make_folder, write_new};
use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress new")]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let list = context.list(&settings)?;
    let date = next_date(list, context);
    make_folder(&list.issues)?;
    let (path, text) = match last(list)? {
        Some(last) => {
            let text = files::read_text(&last, files::ISSUE_MAX_BYTES).map_err(|e| {
                Failure::new(format!(
                    "the last issue can't be read: {}",
                    crate::format::io(&e)
                ))
                .at(last.display().to_string())
            })?;
            // Reading it for its number has found its front matter sound.
            let next = next::text(&text, date).map_err(PublishError::FrontMatter)?;
            (
                list.issues
                    .join(format!("{}.md", next::slug(&publish::slug(&last), date))),
                next,
            )
        }
        None => (list.issues.join("001.md"), FIRST_ISSUE.to_owned()),
    };
    if path.exists() {
        return Err(Failure::new("the file of the next issue already exists")
            .at(path.display().to_string())
            .help("Continue with that one. Nothing was changed."));
    }
    write_new(&path, &text)?;
    context.done(
        format!(
            "{} is a new draft: the schedule skips it until you remove its line `draft`.",
            path.display()
        ),
        &json!({"file": path}),
    )
}

/// When the next issue comes: by the schedule, else today.
fn next_date(list: &List, context: &Context) -> Date {
    let now = context.clock.now();
    let plan = list
        .schedule
        .as_deref()
        .and_then(|text| Plan::parse(text, list.zone.clone()).ok());
    let at = plan.and_then(|plan| plan.next_after(now)).unwrap_or(now);
    at.to_zoned(list.zone.clone()).date()
}

/// The newest issue of the list's folder: the highest number, else the last name.
fn last(list: &List) -> Result<Option<PathBuf>, Failure> {
    let files = crate::schedule::files(&list.issues).map_err(|e| {
        Failure::new(format!(
            "the folder of issues can't be read: {}",
            crate::format::io(&e)
        ))
        .at(list.issues.display().to_string())
    })?;
    let mut newest: Option<(Option<u32>, PathBuf)> = None;
    for file in files {
        let number = publish::read(&file)?.issue.meta.number;
        if newest.as_ref().is_none_or(|(last, _)| number >= *last) {
            newest = Some((number, file));
        }
    }
    Ok(newest.map(|(_, file)| file))
}
