//! `help` and `version`, for those who type them as commands: the same as `--help` and `--version`.

use clap::{Command, CommandFactory as _};
use serde_json::json;

use crate::format::nearest;

use super::{Answer, Cli, Context, Failure, Outcome, options};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress help send")]
pub(super) struct Args {
    /// The command, such as `send` or `subscribers import`; without it, all commands
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress version")]
pub(super) struct VersionArgs {}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut all = options::hide_idle(Cli::command());
    all.build();
    let mut command = find(&all, &args.command)?.clone();
    context.print(command.render_long_help().to_string().trim_end())?;
    Ok(Answer::Done)
}

/// The command that words lead to.
fn find<'c>(all: &'c Command, words: &[String]) -> Result<&'c Command, Failure> {
    let mut found = all;
    for (i, word) in words.iter().enumerate() {
        found = found.find_subcommand(word).ok_or_else(|| {
            let typed = words[..=i].join(" ");
            let names: Vec<&str> = found.get_subcommands().map(Command::get_name).collect();
            let help = match (nearest(word, names.iter().copied()), names.is_empty()) {
                (Some(near), _) => format!("Did you mean {near}?"),
                (None, false) => format!("There are: {}.", names.join(", ")),
                (None, true) => "`letterpress help` lists all commands.".to_owned(),
            };
            Failure::new(format!("there is no command “{typed}”")).help(help)
        })?;
    }
    Ok(found)
}

pub(super) fn version(_args: &VersionArgs, context: &Context) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    context.done(
        format!("letterpress {version}"),
        &json!({"version": version}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_by_its_words() {
        let all = Cli::command();
        let name = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            find(&all, &words)
                .map(|command| command.get_name().to_owned())
                .map_err(|failure| failure.in_a_line())
        };
        assert_eq!(name(&[]).as_deref(), Ok("letterpress"));
        assert_eq!(name(&["subscribers", "import"]).as_deref(), Ok("import"));
        assert_eq!(
            name(&["sned"]).unwrap_err(),
            "there is no command “sned”. Did you mean send?"
        );
        assert!(
            name(&["subscribers", "xyz"])
                .unwrap_err()
                .contains("add, remove")
        );
        assert!(
            name(&["send", "x"])
                .unwrap_err()
                .contains("lists all commands")
        );
    }
}
