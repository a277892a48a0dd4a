//! `backup`: a whole copy of the database, also while the daemon runs.

use std::path::PathBuf;

use serde_json::json;

use crate::format::count;
use crate::operate::backup::back_up;

use super::{Context, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress backup letterpress-copy.db")]
pub(super) struct Args {
    /// A file that does not exist yet
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = context.store(&settings).await?;
    let backup = back_up(&store, &settings, &args.file).await?;
    let also: Vec<String> = backup
        .keep_too
        .iter()
        .map(|path| {
            path.strip_prefix(&settings.folder)
                .unwrap_or(path)
                .display()
                .to_string()
        })
        .collect();
    let words = format!(
        "{} holds the whole database, {} KB, checked.\nBack up {} as well: they are not in it.",
        args.file.display(),
        count(backup.bytes.div_ceil(1000)),
        also.join(", ")
    );
    context.done(
        words,
        &json!({ "file": args.file, "bytes": backup.bytes, "keep_too": also }),
    )
}
