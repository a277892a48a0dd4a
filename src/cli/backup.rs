//! `backup`: a whole copy of the database, also while the daemon runs.

use std::path::PathBuf;

use serde_json::json;

use crate::format::count;

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
    store.backup(&args.file).await?;
    let bytes = std::fs::metadata(&args.file).map_or(0, |about| about.len());
    let mut keep_too = vec![settings.folder.join("dkim")];
    keep_too.extend(settings.lists.iter().map(|list| list.issues.clone()));
    keep_too.extend(settings.file.clone());
    keep_too.dedup();
    let also: Vec<String> = keep_too
        .iter()
        .map(|path| {
            path.strip_prefix(&settings.folder)
                .unwrap_or(path)
                .display()
                .to_string()
        })
        .collect();
    let words = format!(
        "{} holds the whole database, {} KB, checked.\nIt holds nothing else: keep {} as well.",
        args.file.display(),
        count(bytes.div_ceil(1000)),
        also.join(", ")
    );
    context.done(
        words,
        &json!({ "file": args.file, "bytes": bytes, "keep_too": also }),
    )
}
