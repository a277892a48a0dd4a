//! `man`: a manual page for each command, as roff. The pages are clap_mangen's.

use std::path::{Path, PathBuf};

use clap_mangen::Man;
use serde_json::json;

use crate::format;

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress man ~/.local/share/man/man1")]
pub(super) struct Args {
    /// The folder to write the pages into, created if it is missing
    dir: PathBuf,
}

pub(super) fn run(args: &Args, context: &Context, mut all: clap::Command) -> Outcome {
    let failed = |error: std::io::Error| {
        Failure::new(format::io(&error))
            .at(args.dir.display().to_string())
            .help("Name a folder that can be written.")
    };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    all.build();
    let pages = write(&all, &args.dir).map_err(failed)?;
    context.done(
        format!(
            "{pages} manual pages were written to {}.",
            args.dir.display()
        ),
        &json!({ "dir": args.dir, "pages": pages }),
    )
}

/// Writes the page of a command and those of all below it, and gives their number.
fn write(command: &clap::Command, dir: &Path) -> std::io::Result<u64> {
    Man::new(command.clone()).generate_to(dir)?;
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .try_fold(1, |pages, sub| Ok(pages + write(sub, dir)?))
}
