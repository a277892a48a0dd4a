//! `init`: a new folder for a newsletter, with settings to fill in, an issue to change, and the database.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::config;
use crate::store::Store;

use super::ledger::fact;
use super::{Context, Failure, Outcome};

/// The first issue of a new newsletter.
pub(super) const FIRST_ISSUE: &str = include_str!("../../examples/first-issue.md");

/// What has no place in a repository: readers, secrets, and what belongs to one machine.
const IGNORED: &str = "\
# The database with all subscribers, and the files that belong to it.
*.db
*.db-wal
*.db-shm
*.db-journal
*.db-state
*.db.lock
*.db.opening
*.before-restore-*
/.rehearsal-*/

# Secrets: keys that sign mails, and the password of the SMTP server. letterpress.toml has one too if you write
# `password` into it: then add it here.
/dkim/
/smtp-password
*-password

# Lists of people.
*.csv
";

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress init my-letter")]
pub(super) struct Args {
    /// The folder; created if it does not exist
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let dir = if args.dir.as_os_str() == "." {
        PathBuf::new()
    } else {
        args.dir
    };
    let settings = dir.join(config::FILE);
    if settings.exists() {
        return Err(Failure::new("this folder already holds a newsletter")
            .at(settings.display().to_string())
            .help("Choose another folder. Nothing was changed."));
    }
    make_folder(&dir.join("issues"))?;
    // The settings come last: where they stand, the folder is whole.
    let issue = dir.join("issues/001.md");
    if !issue.exists() {
        write_new(&issue, FIRST_ISSUE)?;
    }
    let ignored = dir.join(".gitignore");
    if !ignored.exists() {
        write_new(&ignored, IGNORED)?;
    }
    let database = dir.join("letterpress.db");
    Store::open(&database).await?.close().await;
    // A password may be written into it.
    write_private(&settings, config::SAMPLE)?;

    let name = |path: &Path| path.display().to_string();
    let words = [
        String::new(),
        fact("settings", &name(&settings)),
        fact("database", &name(&database)),
        fact("issue", &name(&issue)),
        String::new(),
        "  Fill in the settings: relay, list, and before the first send public_url.".to_owned(),
        "  To see what is missing, run".to_owned(),
        format!("    letterpress config check --config {}", name(&settings)),
    ]
    .join("\n");
    context.done(
        words,
        &json!({"settings": settings, "database": database, "issue": issue}),
    )
}

/// Creates a folder and those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|e| {
        Failure::new(format!(
            "the folder can't be created: {}",
            crate::format::io(&e)
        ))
        .at(path.display().to_string())
        .help(remedy(&e, "Choose a folder that you can write to."))
    })
}

/// Writes a file that must not exist yet; if that fails, none is left.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    write_with_mode(path, text, 0o666)
}

/// Writes a file that must not exist yet and that only its owner can read; if that fails, none is left.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    write_with_mode(path, text, 0o600)
}

/// `mode` is lowered by the process's own mask.
fn write_with_mode(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let created = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let written = created.and_then(|mut file| {
        file.write_all(text.as_bytes()).inspect_err(|_| {
            // What is half a file is worse than none: it is in the way of the next try.
            let _ = std::fs::remove_file(path);
        })
    });
    written.map_err(|e| {
        Failure::new(format!(
            "the file can't be written: {}",
            crate::format::io(&e)
        ))
        .at(path.display().to_string())
        .help(remedy(&e, "Check the folder and its permissions."))
    })
}

/// What to do about a file that can't be written: free some space, or what else helps.
pub(super) fn remedy<'a>(error: &std::io::Error, else_do: &'a str) -> &'a str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Free some space, and try again.",
        _ => else_do,
    }
}
