//! `test`: (to be written)

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress test issues/022.md --to me@example.org")]
pub struct Args {}

pub async fn run(_args: Args, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
