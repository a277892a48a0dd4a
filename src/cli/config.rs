//! `config`: (to be written)

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress config check")]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
}

#[derive(clap::Subcommand)]
pub enum What {
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress config check")]
    Check,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress config show")]
    Show,
}

pub async fn run(_args: Args, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
