//! Which of the options that all commands share mean something to each, so that its `--help` shows no other.

/// One command by its words, and the shared options that it heeds.
const HEEDED: &[(&str, &[&str])] = &[
    ("demo", &["json"]),
    ("init", &["json"]),
    ("new", &["config", "list", "json"]),
    ("check", &["config", "list", "json"]),
    ("render", &["config", "list", "json"]),
    ("test", &["config", "list", "json"]),
    ("send", &["config", "list", "json", "yes"]),
    ("rehearse", &["config", "list", "json"]),
    ("deliveries", &["config", "list", "json"]),
    ("pause", &["config", "list", "json"]),
    ("resume", &["config", "list", "json"]),
    ("cancel", &["config", "list", "json", "yes"]),
    ("speed", &["config", "json"]),
    ("retry", &["config", "list", "json", "yes"]),
    ("subscribers", &[]),
    ("subscribers add", &["config", "list", "json"]),
    ("subscribers remove", &["config", "list", "json", "yes"]),
    ("subscribers list", &["config", "list", "json"]),
    ("subscribers show", &["config", "json"]),
    ("subscribers import", &["config", "list", "json", "yes"]),
    ("subscribers export", &["config", "list"]),
    ("serve", &["config"]),
    ("config", &[]),
    ("config check", &["config", "json"]),
    ("config show", &["config", "json"]),
    ("dkim", &[]),
    ("dkim new", &["config", "json"]),
    ("dkim show", &["config", "json"]),
    ("dkim use", &["config", "json"]),
    ("dkim remove", &["config", "json", "yes"]),
    ("keys", &[]),
    ("keys rotate", &["config", "json"]),
    ("backup", &["config", "json"]),
    ("restore", &["config", "json", "yes"]),
    ("prune", &["config", "list", "json", "yes"]),
    ("completions", &[]),
    ("man", &["json"]),
    ("help", &[]),
    ("version", &["json"]),
];

/// Hides the shared options wherever they mean nothing. They are still taken there, so that a script may give
/// the same ones to every command.
pub(super) fn hide_idle(command: clap::Command) -> clap::Command {
    // clap hands what is global down to a command only where the command has none of that name itself.
    let shared: Vec<clap::Arg> = command
        .get_arguments()
        .filter(|arg| arg.is_global_set())
        .cloned()
        .collect();
    below(command, "", &shared)
}

fn below(command: clap::Command, path: &str, shared: &[clap::Arg]) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path} {name}")
        };
        let own = shared
            .iter()
            .map(|arg| arg.clone().hide(!heeds(&path, arg.get_id().as_str())));
        command.mut_subcommand(&name, |sub| below(sub, &path, shared).args(own))
    })
}

fn heeds(path: &str, option: &str) -> bool {
    HEEDED
        .iter()
        .any(|(command, heeded)| *command == path && heeded.contains(&option))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::FromArgMatches as _;

    use super::super::Cli;
    use super::*;

    /// Every command with its words.
    fn walk(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            found.push((path.clone(), sub.clone().render_help().to_string()));
            walk(sub, &path, found);
        }
    }

    #[test]
    fn each_help_shows_the_shared_options_that_mean_something() {
        let mut command = hide_idle(Cli::command());
        command.build();
        let mut found = Vec::new();
        walk(&command, "", &mut found);
        let known: Vec<&str> = HEEDED.iter().map(|(command, _)| *command).collect();
        assert_eq!(
            found
                .iter()
                .map(|(path, _)| path.as_str())
                .collect::<Vec<_>>(),
            known
        );
        for (path, help) in found {
            for option in ["config", "list", "json", "yes"] {
                let begins = |line: &str, start: &str| {
                    line.trim_start().starts_with(&format!("{start}--{option}"))
                };
                let shown = help
                    .lines()
                    .any(|line| begins(line, "") || begins(line, "-y, "));
                assert_eq!(shown, heeds(&path, option), "{path}: --{option}\n{help}");
            }
        }
    }

    #[test]
    fn what_is_shared_is_taken_before_and_behind_every_command() {
        for line in [
            "letterpress config check --json --yes --list weekly --config x",
            "letterpress --json config --list weekly check -y --config x",
            "letterpress init --json --yes --list weekly there --config x",
        ] {
            let matches = hide_idle(Cli::command())
                .try_get_matches_from(line.split(' '))
                .unwrap();
            let common = Cli::from_arg_matches(&matches).unwrap().common;
            let config = common.config.as_deref().and_then(|path| path.to_str());
            assert_eq!(
                (config, common.list.as_deref()),
                (Some("x"), Some("weekly")),
                "{line}"
            );
            assert!(common.json && common.yes, "{line}");
        }
    }
}
