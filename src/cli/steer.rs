//! `pause`, `resume`, `cancel`, `retry`: steering an issue, with the daemon running or without.

use super::{Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress pause 22")]
pub struct PauseArgs {
    /// Its number, its slug or its file
    pub issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress resume 22")]
pub struct ResumeArgs {
    /// Its number, its slug or its file
    pub issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress cancel 22")]
pub struct CancelArgs {
    /// Its number, its slug or its file
    pub issue: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress retry 22 --state uncertain")]
pub struct RetryArgs {
    /// Its number, its slug or its file
    pub issue: String,
}

pub async fn pause(_args: PauseArgs, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}

pub async fn resume(_args: ResumeArgs, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}

pub async fn cancel(_args: CancelArgs, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}

pub async fn retry(_args: RetryArgs, _context: &Context) -> Outcome {
    Err(Failure::new("not there yet"))
}
