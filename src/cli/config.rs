//! `config check`, `config show`: what is wrong with the settings, and where each value came from.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::compose::theme::Theme;
use crate::config::{self, Need, Shown};
use crate::format::nearest;
use crate::model::{Finding, Severity};
use crate::operate::keys;
use crate::store::Store;

use super::terminal::Paint;
use super::{Answer, Context, Failure, Outcome, findings, issue_file};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress config check")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Check the settings and show every problem
    #[command(after_help = "Example:\n  letterpress config check")]
    Check,
    /// Show each value and where it comes from
    #[command(after_help = "Example:\n  letterpress config show")]
    Show,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let examined = config::examine(context.common.config.as_deref(), Need::File)?;
    match args.what {
        What::Check => check(&examined, context).await,
        What::Show => show(&examined, context),
    }
}

async fn check(examined: &config::Examined, context: &Context) -> Outcome {
    let mut found = examined.findings.clone();
    found.extend(themes(examined));
    found.extend(folders(examined));
    found.extend(unsigned(examined).await);
    found.sort_by_key(|f| (f.severity, f.line));
    let found = &found;
    context.print_findings(found)?;
    if !context.json() {
        let file = examined
            .settings
            .file
            .as_deref()
            .unwrap_or(config::FILE.as_ref())
            .display();
        match findings::sum(found).as_str() {
            "" => context.print(format!("{file}: no problems found."))?,
            sum => context.print(format!("\n{sum} in {file}"))?,
        }
    }
    Ok(if findings::any_error(found) {
        Answer::No
    } else {
        Answer::Done
    })
}

/// What is wrong with the lists' themes. `config` only reads their names; whether there are such themes is known
/// above it.
fn themes(examined: &config::Examined) -> Vec<Finding> {
    let folder = issue_file::themes(&examined.settings);
    let names = Theme::names(Some(&folder));
    let fault = |list: &crate::model::List| {
        let error = Theme::load(&list.theme, Some(&folder)).err()?;
        if names.contains(&list.theme) {
            let what = match error.place {
                Some(place) => format!("{place}: {}", error.what),
                None => error.what,
            };
            let help = format!("{} Or name another theme.", error.help);
            return Some(examined.about_list(Severity::Error, (list, "theme"), &what, &help));
        }
        let near = nearest(&list.theme, names.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("Did you mean {near}? "));
        let what = format!("there is no theme “{}”", list.theme);
        let help = format!(
            "{near}There are: {}. One of your own is a folder in {}.",
            names.join(", "),
            folder.display()
        );
        Some(examined.about_list(Severity::Error, (list, "theme"), &what, &help))
    };
    examined.settings.lists.iter().filter_map(fault).collect()
}

/// The folders of issues that are named and not there: a schedule would find none in them.
fn folders(examined: &config::Examined) -> Vec<Finding> {
    let missing =
        |list: &&crate::model::List| examined.sets(list, "issues") && !list.issues.is_dir();
    let finding = |list: &crate::model::List| {
        let what = format!("there is no folder {}", list.issues.display());
        examined.about_list(
            Severity::Warning,
            (list, "issues"),
            &what,
            "Create it, or set the folder that has them.",
        )
    };
    examined
        .settings
        .lists
        .iter()
        .filter(missing)
        .map(finding)
        .collect()
}

/// The lists whose mails nothing signs. The choice of keys stands in the database, which is only read here; where that
/// can't be, nothing is said of it.
async fn unsigned(examined: &config::Examined) -> Vec<Finding> {
    let settings = &examined.settings;
    let in_use = match Store::peek_at_dkim_selectors(&settings.database).await {
        Some(in_use) => in_use,
        None if settings.database.exists() => return Vec::new(),
        None => Vec::new(),
    };
    let finding = |list: &crate::model::List| {
        let domain = list.from.address.domain();
        examined.about_list(
            Severity::Warning,
            (list, "from"),
            &format!("no DKIM key in use signs mails from {domain}"),
            &format!(
                "Many providers reject or hide unsigned mail. Make keys with `letterpress dkim new --domain {domain}`, unless the relay signs."
            ),
        )
    };
    if settings.sending.relays.is_empty() {
        return Vec::new();
    }
    let mut lists = keys::unsigned(&settings.lists, &in_use);
    let mut told = HashSet::new();
    lists.retain(|list| told.insert(list.from.address.domain()));
    lists.into_iter().map(finding).collect()
}

fn show(examined: &config::Examined, context: &Context) -> Outcome {
    let shown = config::show(examined);
    if context.json() {
        shown
            .iter()
            .try_for_each(|one| context.print_json(&one.as_json()))?;
    } else {
        context.print(as_toml(&shown, context.paint).trim_end())?;
    }
    // Errors are shown as well: with them, nothing of this is in use.
    match examined
        .findings
        .iter()
        .find(|f| f.severity == Severity::Error)
    {
        Some(_) => Err(Failure::from(config::ConfigError::Wrong(
            examined.findings.clone(),
        ))),
        None => Ok(Answer::Done),
    }
}

/// The settings as a file would have them, each with its source as a comment.
fn as_toml(shown: &[Shown], paint: Paint) -> String {
    let mut out = String::new();
    let mut section = String::new();
    let lines: Vec<(String, String, &Shown)> = shown
        .iter()
        .map(|one| {
            let (section, name) = one.key.rsplit_once('.').unwrap_or(("", &one.key));
            let line = match &one.value {
                Some(value) => format!("{name} = {value}"),
                None => format!("# {name}"),
            };
            (section.to_owned(), line, one)
        })
        .collect();
    let width = lines
        .iter()
        .map(|(_, line, _)| line.chars().count())
        .filter(|n| *n <= 44)
        .max()
        .unwrap_or(0);
    for (of, line, one) in &lines {
        if *of != section {
            let _ = writeln!(out, "\n[{of}]");
            section.clone_from(of);
        }
        let why = match one.unset {
            Some(means) => format!("not set: {means}"),
            None => one.source.clone(),
        };
        let _ = writeln!(out, "{line:width$}  {}", paint.dim(&format!("# {why}")));
    }
    out.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_could_stand_in_a_file() {
        let one = |key: &str, value: Option<&str>, unset| Shown {
            key: key.into(),
            value: value.map(str::to_owned),
            source: "default".into(),
            about: "what it is for",
            unset,
        };
        let shown = [
            one("web.listen", Some("\"127.0.0.1:8080\""), None),
            one("web.public_url", None, Some("nothing can be sent")),
            one("list.weekly.utm.medium", Some("\"email\""), None),
        ];
        let text = as_toml(&shown, Paint::bare());
        assert_eq!(
            text,
            "[web]\nlisten = \"127.0.0.1:8080\"  # default\n\
             # public_url               # not set: nothing can be sent\n\n\
             [list.weekly.utm]\nmedium = \"email\"           # default\n"
        );
        assert!(toml::from_str::<toml::Table>(&text).is_ok());
    }
}
