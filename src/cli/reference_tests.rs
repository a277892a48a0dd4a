//! `docs/commands.md` is made from the commands themselves, and a test holds it to them.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command};

/// Everything that stands before the first command.
const HEAD: &str = "# Commands

Every command with its arguments and options. `letterpress help COMMAND` prints the same in a terminal, and `letterpress man DIR` writes manual pages. This page is made from the program; change the help texts in `src/cli/`, not the page.

Results go to stdout, everything else to stderr. The exit status is 0 if the command did what was asked, 1 if it ran and the answer is no (an error that `check` found, a bad row of an import, a mail that was not accepted), and 2 if it could not run: a wrong option, a fault in the settings, a file or database that can't be read.
";

/// Set to write the page instead of comparing it.
const WRITE: &str = "LETTERPRESS_WRITE_REFERENCE";

fn reference() -> String {
    let mut all = super::all_commands();
    let mut out = String::from(HEAD);
    let shared: Vec<Arg> = all
        .get_arguments()
        .filter(|arg| arg.is_global_set())
        .cloned()
        .collect();
    out.push_str("\nThese options mean the same wherever a command lists them:\n");
    table(&mut out, shared.iter());
    all.build();
    out.push_str("\n| command | |\n|---|---|\n");
    for command in leaves(&all, "") {
        let about = command.1.get_about().map(ToString::to_string);
        let _ = writeln!(
            out,
            "| [`{0}`](#{1}) | {2} |",
            command.0,
            command.0.replace(' ', "-"),
            cell(&about.unwrap_or_default())
        );
    }
    for (path, command) in leaves(&all, "") {
        section(&mut out, &path, command, &shared);
    }
    out
}

/// The commands that do something, with the words that lead to them.
fn leaves<'c>(command: &'c Command, path: &str) -> Vec<(String, &'c Command)> {
    let mut found = Vec::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name()).trim().to_owned();
        if sub.has_subcommands() {
            found.extend(leaves(sub, &path));
        } else {
            found.push((path, sub));
        }
    }
    found
}

fn section(out: &mut String, path: &str, command: &Command, shared: &[Arg]) {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(out, "\n## {path}\n\n{}\n", sentences(&about));
    let _ = write!(out, "\n```text\n{usage}\n```\n");
    let is_shared = |arg: &&Arg| shared.iter().any(|one| one.get_id() == arg.get_id());
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !is_shared(arg) && arg.get_id() != "help")
        .collect();
    if !own.is_empty() {
        table(out, own.into_iter());
    }
    let heeded: Vec<String> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && is_shared(arg))
        .map(|arg| format!("`{}`", spelled(arg)))
        .collect();
    if !heeded.is_empty() {
        let _ = write!(out, "\nAlso {}.\n", heeded.join(", "));
    }
    let example = command.get_after_help().map(ToString::to_string);
    if let Some(lines) = example
        .as_deref()
        .and_then(|text| text.split_once("Example:\n"))
    {
        let lines: Vec<&str> = lines.1.lines().map(str::trim_start).collect();
        let _ = write!(out, "\n```sh\n{}\n```\n", lines.join("\n").trim_end());
    }
}

/// Each paragraph as a sentence, as clap takes the last full stop off.
fn sentences(about: &str) -> String {
    let paragraphs: Vec<String> = about
        .split("\n\n")
        .map(|text| {
            let end = if text.ends_with(['.', ':', '?']) {
                ""
            } else {
                "."
            };
            format!("{}{end}", text.trim())
        })
        .collect();
    paragraphs.join("\n\n")
}

fn table<'a>(out: &mut String, args: impl Iterator<Item = &'a Arg>) {
    out.push_str("\n| | |\n|---|---|\n");
    for arg in args {
        let help = arg.get_long_help().or(arg.get_help());
        let mut help = help.map(ToString::to_string).unwrap_or_default();
        let takes_value = arg.get_action().takes_values();
        let values: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if takes_value && !values.is_empty() && !arg.is_hide_possible_values_set() {
            let _ = write!(help, " ({})", values.join(", "));
        }
        let defaults = arg.get_default_values();
        if takes_value && !defaults.is_empty() && !arg.is_hide_default_value_set() {
            let defaults: Vec<_> = defaults
                .iter()
                .map(|value| value.to_string_lossy())
                .collect();
            let _ = write!(help, " (default: `{}`)", defaults.join(" "));
        }
        let _ = writeln!(out, "| `{}` | {} |", spelled(arg), cell(help.trim()));
    }
}

/// An option or argument as it is typed.
fn spelled(arg: &Arg) -> String {
    let names: Vec<String> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let value = names.join(" ");
    let takes_value = arg.get_action().takes_values();
    let short = arg
        .get_short()
        .map(|c| format!("-{c}, "))
        .unwrap_or_default();
    match arg.get_long() {
        Some(long) if takes_value => format!("{short}--{long} {value}"),
        Some(long) => format!("{short}--{long}"),
        None => value,
    }
}

/// A text within a table.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

#[test]
fn the_command_reference_is_that_of_the_program() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let wanted = reference();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = wanted.lines().zip(there.lines()).position(|(a, b)| a != b);
    assert!(
        there == wanted,
        "docs/commands.md differs from the program, first at line {:?}. Write it again: {WRITE}=1 cargo test --lib reference",
        differs.map(|line| line + 1)
    );
}
