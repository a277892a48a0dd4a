//! `check`: (to be written)

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress check issues/022.md")]
pub struct Args {
    pub file: std::path::PathBuf,
}

pub async fn run(_args: Args, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
