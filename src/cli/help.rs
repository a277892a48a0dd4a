//! `help` and `version`, and how what clap says is printed.

use clap::error::ErrorKind;
use serde_json::json;

use crate::format::nearest;
use crate::stdio;

use super::terminal::Paint;
use super::{Answer, Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress help subscribers import")]
pub(super) struct Args {
    /// The command, such as send or subscribers import; none: all commands
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress version")]
pub(super) struct VersionArgs {}

/// Prints the version, as `--version` does.
pub(super) fn version(_args: &VersionArgs, context: &Context) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    context.done(
        format!("letterpress {version}"),
        &json!({"version": version}),
    )
}

/// Prints what `--help` of the command prints.
pub(super) fn run(args: &Args, context: &Context, all: clap::Command) -> Outcome {
    let mut command = &all;
    for (at, word) in args.words.iter().enumerate() {
        command = command.find_subcommand(word).ok_or_else(|| {
            let typed = args.words[..=at].join(" ");
            let names = command.get_subcommands().map(clap::Command::get_name);
            let near = nearest(word, names).map(|near| format!("Did you mean {near}? "));
            Failure::new(format!("there is no command {}", stdio::one_line(&typed))).help(format!(
                "{}`letterpress help` lists the commands.",
                near.unwrap_or_default()
            ))
        })?;
    }
    let words = args.words.iter().map(String::as_str);
    let line: Vec<&str> = std::iter::once("letterpress")
        .chain(words)
        .chain(["--help"])
        .collect();
    match all.try_get_matches_from(line) {
        Err(said) if said.kind() == ErrorKind::DisplayHelp => {
            context.print(rendered(&said, context.paint).trim_end())?;
            Ok(Answer::Done)
        }
        _ => Err(Failure::new("the help can't be shown, which is a defect")),
    }
}

/// What clap answers in place of a command, with its styles where there is colour.
pub(super) fn rendered(said: &clap::Error, paint: Paint) -> String {
    let text = said.render();
    let plain = text.to_string();
    // An argument that it repeats may hold sequences of its own.
    if paint.is_on() && !plain.contains('\x1b') {
        stdio::with_styles(&text.ansi().to_string())
    } else {
        plain
    }
}
