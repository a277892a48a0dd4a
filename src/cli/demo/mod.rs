//! `demo`: the whole main job on this machine, mailing nobody outside.
//!
//! It uses the same rooms as a real send: a folder with settings, an import, the daemon, an issue that is published and
//! sent over SMTP; only the relay is the inbox inside. It stays until Ctrl-C, so that one can join, leave and
//! send the next issue; with `--once` it ends as soon as it is known whether every mail arrived.
mod folder;
mod people;
mod places;
mod running;
mod story;

use std::path::PathBuf;

use super::{Answer, Context, Outcome, serve};
use running::Demo;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress demo --once")]
pub(super) struct Args {
    /// The demo's folder; an existing demo is opened again
    #[arg(long, value_name = "D", default_value = "demo")]
    dir: PathBuf,
    /// An issue to send instead of the example
    #[arg(long, value_name = "FILE")]
    issue: Option<PathBuf>,
    /// The number of subscribers
    #[arg(long, value_name = "N", default_value_t = 12)]
    subscribers: u32,
    /// Exit as soon as the outcome of every mail is known
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let shutdown = serve::signals()?;
    let demo = Demo::open(
        &args.dir,
        args.issue.as_deref(),
        args.subscribers,
        context,
        &shutdown,
    )
    .await?;
    let outcome = tokio::select! {
        outcome = demo.show(args.once, context) => outcome,
        () = shutdown.cancelled() => Ok(Answer::Done),
    };
    if outcome.is_ok() && !args.once && !context.reader_left() {
        shutdown.cancelled().await;
    }
    shutdown.cancel();
    demo.close().await;
    outcome
}
