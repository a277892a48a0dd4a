//! `init`: (to be written)

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress init my-letter")]
pub struct Args {}

pub async fn run(_args: Args, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
