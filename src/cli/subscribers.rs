//! `subscribers`: (to be written)

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress subscribers import subscribers.csv")]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
}

#[derive(clap::Subcommand)]
pub enum What {
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress subscribers import subscribers.csv")]
    Import,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress subscribers export")]
    Export,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress subscribers add mei@example.com")]
    Add,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress subscribers remove mei@example.com")]
    Remove,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress subscribers list --json")]
    List,
    /// (to be written)
    #[command(after_help = "Example:\n  letterpress subscribers show mei@example.com")]
    Show,
}

pub async fn run(_args: Args, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
