//! `dkim`: (to be written)

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress dkim new --domain example.org")]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
}

#[derive(clap::Subcommand)]
pub enum What {
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress dkim new --domain example.org")]
    New,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress dkim show")]
    Show,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress dkim use lp2")]
    Use,
}

pub async fn run(_args: Args, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
