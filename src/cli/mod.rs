//! The command line: one file a command, and the manners that all of them share.
//!
//! Results go to stdout, everything else to stderr. A command gives back an [`Outcome`]: done (0), the answer
//! is no (1), or a [`Failure`] that says in one paragraph what, where and what to do (mostly 2). Deciding,
//! storing and sending is left to the rooms below; here is only what people type and read.

mod backup;
mod check;
mod completions;
mod config;
mod context;
mod deliveries;
mod demo;
mod dkim;
mod failure;
mod findings;
mod follow;
mod help;
mod init;
mod issue_file;
mod keys;
mod layout;
mod ledger;
mod man;
mod new;
mod options;
mod overview;
mod progress;
mod prune;
#[cfg(test)]
mod reference_tests;
mod refusal;
mod rehearse;
mod render;
mod restore;
mod send;
mod serve;
mod speed;
mod steer;
mod subscribers;
mod terminal;
mod test;
mod totals;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::stdio;

use context::{Common, Context};
use failure::{Answer, Failure, Outcome};
use terminal::Paint;

/// A self-hosted email newsletter: one program, one folder, one SQLite file
#[derive(Parser)]
#[command(
    name = "letterpress",
    version,
    disable_help_subcommand = true,
    max_term_width = 80,
    after_help = "Example:\n  letterpress demo"
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try everything on this machine; nobody is mailed
    Demo(demo::Args),
    /// Create a folder for a newsletter
    Init(init::Args),
    /// Start the next issue from the last one
    New(new::Args),
    /// Check an issue for problems
    Check(check::Args),
    /// Write an issue as MJML, HTML, text and mail
    Render(render::Args),
    /// Send one marked copy through the relay
    Test(test::Args),
    /// Queue an issue, now or for later
    Send(send::Args),
    /// Rehearse a whole send; nobody is mailed
    Rehearse(rehearse::Args),
    /// Show the outcome of each issue, or of each mail of one
    Deliveries(deliveries::Args),
    /// Pause an issue that is being sent
    Pause(steer::PauseArgs),
    /// Resume an issue that is paused or held, or try at once what waits
    Resume(steer::ResumeArgs),
    /// Cancel what has not been sent; `retry --state cancelled` takes that back
    Cancel(steer::CancelArgs),
    /// Show rate limits, or change them while mails are sent
    Speed(speed::Args),
    /// Send again to those who failed, or whom a cancel kept from getting it
    Retry(steer::RetryArgs),
    /// Manage subscribers
    Subscribers(subscribers::Args),
    /// Run the daemon: web pages, schedule, sending
    Serve(serve::Args),
    /// Check and show the settings
    Config(config::Args),
    /// Manage the keys that sign mails
    Dkim(dkim::Args),
    /// Manage the keys that sign links
    Keys(keys::Args),
    /// Copy the database, even while the daemon runs
    Backup(backup::Args),
    /// Put a backup in the place of the database
    Restore(restore::Args),
    /// Drop the recipients of issues that ended long ago; their totals stay
    Prune(prune::Args),
    /// Print a script that completes commands in a shell
    Completions(completions::Args),
    /// Write manual pages
    Man(man::Args),
    /// Show the help of a command
    Help(help::Args),
    /// Show the version of this program
    Version(help::VersionArgs),
}

impl Command {
    async fn run(self, context: &Context) -> Outcome {
        match self {
            Command::Demo(args) => demo::run(args, context).await,
            Command::Init(args) => init::run(args, context).await,
            Command::New(args) => new::run(args, context).await,
            Command::Check(args) => check::run(args, context).await,
            Command::Render(args) => render::run(args, context).await,
            Command::Test(args) => test::run(args, context).await,
            Command::Send(args) => send::run(args, context).await,
            Command::Rehearse(args) => rehearse::run(args, context).await,
            Command::Deliveries(args) => deliveries::run(args, context).await,
            Command::Pause(args) => steer::pause(args, context).await,
            Command::Resume(args) => steer::resume(args, context).await,
            Command::Cancel(args) => steer::cancel(args, context).await,
            Command::Speed(args) => speed::run(args, context).await,
            Command::Retry(args) => steer::retry(args, context).await,
            Command::Subscribers(args) => subscribers::run(args, context).await,
            Command::Serve(args) => serve::run(args, context).await,
            Command::Config(args) => config::run(args, context).await,
            Command::Dkim(args) => dkim::run(args, context).await,
            Command::Keys(args) => keys::run(args, context).await,
            Command::Backup(args) => backup::run(args, context).await,
            Command::Restore(args) => restore::run(args, context).await,
            Command::Prune(args) => prune::run(args, context).await,
            Command::Completions(args) => completions::run(&args, all_commands()),
            Command::Man(args) => man::run(&args, context, all_commands()),
            Command::Help(args) => help::run(&args, context, all_commands()),
            Command::Version(args) => help::version(&args, context),
        }
    }
}

/// The commands as clap knows them, each with the shared options that it heeds.
fn all_commands() -> clap::Command {
    options::hide_idle(Cli::command())
}

/// Reads the arguments, runs the command, and says how it ended.
pub fn main() -> ExitCode {
    let parsed = all_commands()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(said) => return print_usage(&said),
    };
    let context = Context::new(cli.common, crate::app::clock::machine());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            let failure = Failure::new(format!(
                "the program's threads can't be started: {}",
                crate::format::io(&e)
            ));
            return failure.tell(Paint::stderr());
        }
    };
    let outcome = runtime.block_on(async {
        let outcome = cli.command.run(&context).await;
        context.close().await;
        outcome
    });
    match outcome {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(failure) => failure.tell(Paint::stderr()),
    }
}

/// Prints what clap answers in place of a command: help and version on stdout, usage errors on stderr (exit 2).
fn print_usage(said: &clap::Error) -> ExitCode {
    if said.use_stderr() {
        stdio::eprint(help::rendered(said, Paint::stderr()));
        return ExitCode::from(2);
    }
    let mut out = stdio::stdout();
    match out
        .write_all(help::rendered(said, Paint::stdout()).as_bytes())
        .and_then(|()| out.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::output(error).tell(Paint::stderr()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    /// Every command, and every command of a command, with the words that lead to it.
    fn walk(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            let mut shown = sub.clone();
            found.push((path.clone(), shown.render_help().to_string()));
            walk(sub, &path, found);
        }
    }

    #[test]
    fn each_help_ends_with_an_example_of_its_command() {
        let mut command = super::Cli::command();
        command.build();
        let mut found = Vec::new();
        walk(&command, "letterpress", &mut found);
        assert!(found.len() > 19);
        for (path, help) in found {
            let example = help
                .split("Example:\n")
                .nth(1)
                .unwrap_or_else(|| panic!("{path}: no example"));
            assert!(
                example.trim_start().starts_with(&path),
                "{path}: the example is of another: {example}"
            );
        }
    }

    #[test]
    fn the_arguments_are_sound() {
        super::Cli::command().debug_assert();
    }
}
