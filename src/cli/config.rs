//! `config check`, `config show`: what is wrong with the settings, and where each value came from.

use std::collections::HashSet;
use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::compose::theme::Theme;
use crate::config::{self, Need, Settings, Shown};
use crate::format::nearest;
use crate::model::{Finding, List, Severity};
use crate::operate::keys;
use crate::schedule;
use crate::schedule::cron::{self, Plan};
use crate::store::Store;

use super::terminal::Paint;
use super::{Answer, Context, Failure, Outcome, findings, issue_file};

/// How many times of a schedule are shown.
const TIMES: usize = 5;

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
    let mut examined = config::examine(context.common.config.as_deref(), Need::File)?;
    match args.what {
        What::Check => {
            examined.check_files();
            check(&examined, context).await
        }
        What::Show => show(&examined, context),
    }
}

async fn check(examined: &config::Examined, context: &Context) -> Outcome {
    let mut found = examined.findings.clone();
    found.extend(themes(examined));
    found.extend(folders(examined));
    found.extend(schedules(examined, context.clock.now()));
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

/// Schedules that fire on more days than their author may think.
fn schedules(examined: &config::Examined, now: Timestamp) -> Vec<Finding> {
    let finding = |list: &List| {
        let pattern = list.schedule.as_deref()?;
        let either = cron::either_day(pattern)?;
        let plan = Plan::parse(pattern, list.zone.clone()).ok()?;
        let times: Vec<String> = plan
            .next_times(now, TIMES)
            .into_iter()
            .map(|at| local_day(at, &list.zone))
            .collect();
        let what = format!(
            "“{pattern}” fires on the days {} of the month and also on every {}: cron takes either where both are given. Next: {}",
            either.days,
            either.weekdays,
            times.join(", ")
        );
        let help = match either.both {
            Some(both) => format!("For the days that are both, write “{both}”."),
            None => "Leave one of the two at *, unless you want either.".to_owned(),
        };
        Some(examined.about_list(Severity::Warning, (list, "schedule"), &what, &help))
    };
    examined.settings.lists.iter().filter_map(finding).collect()
}

/// A moment with its weekday, such as `Mon 2026-12-07 07:00 CET`.
fn local_day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%a %Y-%m-%d %H:%M %Z")
        .to_string()
}

/// When the schedule of the list fires next that a setting belongs to; `None`: it is no schedule.
fn next_time(key: &str, settings: &Settings, now: Timestamp) -> Option<Zoned> {
    let key = key.strip_prefix("list.")?.strip_suffix(".schedule")?;
    let list = settings.lists.iter().find(|list| list.key == key)?;
    schedule::next_time(list, now)
}

/// The lists whose mails nothing signs. The choice of keys stands in the database, which is only read here; where that
/// can't be, nothing is said of it.
async fn unsigned(examined: &config::Examined) -> Vec<Finding> {
    let settings = &examined.settings;
    let mut relays = settings.sending.relays.iter();
    if relays.all(|relay| relay.dkim.algorithms.is_empty()) {
        return Vec::new();
    }
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
    let mut lists = keys::unsigned(&settings.lists, &in_use);
    let mut told = HashSet::new();
    lists.retain(|list| told.insert(list.from.address.domain()));
    lists.into_iter().map(finding).collect()
}

fn show(examined: &config::Examined, context: &Context) -> Outcome {
    let shown = config::show(examined);
    let now = context.clock.now();
    let next = |one: &Shown| next_time(&one.key, &examined.settings, now);
    if context.json() {
        for one in &shown {
            let mut json = one.as_json();
            if let Some(next) = next(one) {
                json["next"] = serde_json::json!(next.timestamp());
            }
            context.print_json(&json)?;
        }
    } else {
        let next =
            |one: &Shown| next(one).map(|next| local_day(next.timestamp(), next.time_zone()));
        context.print(as_toml(&shown, next, context.paint).trim_end())?;
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
fn as_toml(shown: &[Shown], next: impl Fn(&Shown) -> Option<String>, paint: Paint) -> String {
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
        let why = match next(one) {
            Some(next) => format!("{why}; next: {next}"),
            None => why,
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
        let next = |one: &Shown| (one.key == "web.listen").then(|| "Mon".to_owned());
        let text = as_toml(&shown, next, Paint::bare());
        assert_eq!(
            text,
            "[web]\nlisten = \"127.0.0.1:8080\"  # default; next: Mon\n\
             # public_url               # not set: nothing can be sent\n\n\
             [list.weekly.utm]\nmedium = \"email\"           # default\n"
        );
        assert!(toml::from_str::<toml::Table>(&text).is_ok());
    }
}
