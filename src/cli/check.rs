//! `check`: everything that is wrong with an issue, found without a network.

use std::path::PathBuf;

use crate::compose;
use crate::publish::PublishError;

use super::{Answer, Context, Failure, Outcome, findings, issue_file};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress check issues/022.md")]
pub(super) struct Args {
    /// The issue's Markdown file
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings_or_defaults()?;
    let (found, whole) = match crate::publish::read(&args.file) {
        Ok(manuscript) => {
            let list = issue_file::list_or_default(context, &settings, &manuscript)?;
            let media_base = issue_file::media_base(&settings);
            (
                issue_file::compose(&settings, list, manuscript, &media_base)?.findings,
                true,
            )
        }
        // Of a file whose front matter is malformed, that is all there is to say.
        Err(PublishError::FrontMatter(found)) => (found, false),
        Err(other) => return Err(Failure::from(other)),
    };
    context.print_findings(&found)?;
    if !context.json() {
        let passed = compose::check::passed(&found).len();
        let gap = if found.is_empty() { "" } else { "\n" };
        let sum = findings::sum(&found);
        let sum = if sum.is_empty() {
            "No problems found".to_owned()
        } else {
            sum
        };
        let passed = if whole {
            format!("{passed} checks passed")
        } else {
            "the rest was not checked".into()
        };
        context.print(format!("{gap}{sum}, {passed}"))?;
        if findings::any_error(&found) {
            context.print("Errors stop a send unless --force is given.")?;
        }
    }
    Ok(if findings::any_error(&found) {
        Answer::No
    } else {
        Answer::Done
    })
}
