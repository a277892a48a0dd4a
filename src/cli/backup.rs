//! `backup`: a whole copy of the database, also while the daemon runs.

use std::path::PathBuf;

use serde_json::json;

use crate::format::count;
use crate::operate::backup::back_up;

use super::{Context, Failure, Outcome, serve};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress backup letterpress-copy.db")]
pub(super) struct Args {
    /// A file that does not exist yet
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = context.store(&settings).await?;
    // Dropped half-way, it leaves nothing behind.
    let shutdown = serve::signals()?;
    let backup = tokio::select! {
        done = back_up(&store, &settings, &args.file, context.clock.now()) => done?,
        () = shutdown.cancelled() => {
            return Err(Failure::interrupted("the backup was interrupted").help("No copy was kept."));
        }
    };
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
        "{} holds the whole database, {} KB, checked.\nBack up {} as well: they are not in it. `letterpress restore` puts it back.",
        args.file.display(),
        count(backup.bytes.div_ceil(1000)),
        also.join(", ")
    );
    context.done(
        words,
        &json!({ "file": args.file, "bytes": backup.bytes, "keep_too": also }),
    )
}
