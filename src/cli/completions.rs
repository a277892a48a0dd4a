//! `completions`: what a shell needs to complete commands and options. The scripts are clap_complete's.

use std::io::Write as _;

use clap_complete::Shell;

use crate::stdio;

use super::{Answer, Failure, Outcome};

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  letterpress completions bash > ~/.local/share/bash-completion/completions/letterpress"
)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args, mut all: clap::Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut all, "letterpress", &mut script);
    let mut out = stdio::stdout_of_data();
    out.write_all(&script)
        .and_then(|()| out.flush())
        .map_err(Failure::output)?;
    Ok(Answer::Done)
}
