//! `check`: everything that is wrong with an issue, without a network.

use std::path::PathBuf;

use crate::publish::PublishError;

use super::{Answer, Context, Failure, Outcome, findings, issue_file};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress check issues/022.md")]
pub struct Args {
    /// The issue's Markdown file
    file: PathBuf,
}

pub async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings_or_defaults()?;
    let found = match crate::publish::read(&args.file) {
        Ok(manuscript) => {
            let list = issue_file::list_or_default(context, &settings, &manuscript)?;
            issue_file::compose(&settings, list, manuscript, &issue_file::media_base(&settings))?.findings
        }
        // Of a file whose front matter is malformed, that is all there is to say.
        Err(PublishError::FrontMatter(found)) => found,
        Err(other) => return Err(Failure::from(other)),
    };
    findings::print(context, &found)?;
    if !context.json() {
        let sum = match findings::sum(&found) {
            sum if sum.is_empty() => format!("{}: nothing to mend.", args.file.display()),
            sum => format!("\n{sum}"),
        };
        context.print(sum)?;
        if findings::any_error(&found) {
            context.print("An error stops a send; --force overrides it.")?;
        }
    }
    Ok(if findings::any_error(&found) { Answer::No } else { Answer::Done })
}
