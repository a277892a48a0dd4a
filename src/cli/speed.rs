//! `speed`: how quickly mails may go to each provider and by each relay, and the author's word on it while they go.
//!
//! The command only reads and writes rows; a running daemon follows within a second.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Settings;
use crate::delivery::Relay;
use crate::format::{count, nearest};
use crate::model::rate::SavedRate;
use crate::pace::rate_limit::effective_rate;
use crate::pace::warmup::day_of;
use crate::pace::{PROVIDER_PREFIX, provider_name, relay_name};
use crate::stdio;
use crate::store::{DaemonLock, Store};

use super::{Answer, Context, Failure, Outcome, layout};

/// The most messages a minute that can be said.
const MOST: u32 = 10_000_000;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  letterpress speed gmail.com 600\n  letterpress speed gmail.com off"
)]
pub(super) struct Args {
    /// A relay's name, or a domain, which stands for its whole provider; without it, all are shown
    name: Option<String>,
    /// Messages a minute in place of the settings, 0 for no limit; `off` goes back to the settings
    #[arg(value_parser = word)]
    per_minute: Option<Word>,
}

/// What the author says.
#[derive(Clone, Copy)]
enum Word {
    PerMinute(u32),
    Off,
}

fn word(text: &str) -> Result<Word, String> {
    match text.parse::<u32>() {
        _ if text == "off" => Ok(Word::Off),
        Ok(per_minute) if per_minute <= MOST => Ok(Word::PerMinute(per_minute)),
        _ => Err(format!(
            "write messages a minute, from 0 (no limit) to {MOST}, or off"
        )),
    }
}

/// One measure, as scripts read it. Numbers are messages a minute; null: no limit, or nothing of the kind.
#[derive(Serialize)]
struct Line {
    name: String,
    /// `relay` or `domain`.
    kind: &'static str,
    /// By the settings.
    set: Option<u32>,
    /// From servers' complaints.
    learnt: Option<f64>,
    /// The author's word; 0: no limit.
    overridden: Option<u32>,
    /// What holds.
    per_minute: Option<f64>,
    /// Of a relay that is warmed up: what today allows, and what may have gone of it.
    today: Option<u64>,
    given_today: Option<u64>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = context.store(&settings).await?;
    let name = match &args.name {
        Some(name) => Some(stored_name(&settings, name)?),
        None => None,
    };
    if let (Some(name), Some(word)) = (&name, args.per_minute) {
        let per_minute = match word {
            Word::PerMinute(per_minute) => Some(per_minute),
            Word::Off => None,
        };
        store
            .set_speed(name, per_minute, context.clock.now())
            .await?;
    }
    let mut lines = lines(&settings, &store, context.clock.now(), name.as_deref()).await?;
    if let Some(name) = &name {
        lines.retain(|line| stored(line) == *name);
    }
    if context.json() {
        lines.iter().try_for_each(|line| context.print_json(line))?;
    } else {
        context.print(as_table(&lines).trim_end())?;
        if DaemonLock::holder(store.path()).is_some() {
            stdio::eprintln(
                "“set” is what the file says now; the daemon that runs keeps to it from its next start on.",
            );
        }
    }
    Ok(Answer::Done)
}

/// How the measure of a relay or a domain is called in the database.
fn stored_name(settings: &Settings, name: &str) -> Result<String, Failure> {
    let relays = settings
        .sending
        .relays
        .iter()
        .map(|relay| relay.name.as_str());
    if relays.clone().any(|relay| relay == name) {
        return Ok(relay_name(name));
    }
    let domains = &settings.sending.pacing.domains;
    let small = name.to_lowercase();
    let provider = domains.providers.of(&small);
    if provider.contains('.') || domains.of(provider).is_some() {
        return Ok(provider_name(provider));
    }
    let near = nearest(name, relays.clone())
        .map_or_else(String::new, |near| format!("Did you mean {near}? "));
    let known = relays.collect::<Vec<_>>().join(", ");
    Err(
        Failure::new(format!("{name} is neither a relay nor a domain")).to_do(format!(
            "{near}The relays are: {known}. A domain has a dot, such as gmail.com."
        )),
    )
}

fn stored(line: &Line) -> String {
    if line.kind == "relay" {
        relay_name(&line.name)
    } else {
        provider_name(&line.name)
    }
}

/// Every relay, and the providers of which there is something to say; `also`: one that is asked for.
async fn lines(
    settings: &Settings,
    store: &Store,
    now: Timestamp,
    also: Option<&str>,
) -> Result<Vec<Line>, Failure> {
    let (measures, words) = (store.measures().await?, store.speeds().await?);
    let mut lines = Vec::new();
    for relay in &settings.sending.relays {
        let mut line = line(
            relay_name(&relay.name),
            relay.messages_per_minute,
            &measures,
            &words,
        );
        (line.today, line.given_today) = today(relay, store, now).await?;
        lines.push(line);
    }
    let domains = &settings.sending.pacing.domains;
    let learnt = measures
        .iter()
        .filter(|measure| measure.learned.is_some())
        .map(|m| m.name.as_str());
    let mut names: Vec<String> = learnt
        .chain(words.iter().map(|(name, _)| name.as_str()))
        .chain(also)
        .filter_map(|name| name.strip_prefix(PROVIDER_PREFIX))
        .chain(domains.named())
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    for provider in names {
        let set = domains.of(&provider).messages_per_minute;
        lines.push(line(provider_name(&provider), set, &measures, &words));
    }
    Ok(lines)
}

fn line(stored: String, set: u32, measures: &[SavedRate], words: &[(String, u32)]) -> Line {
    let (kind, name) = match stored.strip_prefix(PROVIDER_PREFIX) {
        Some(provider) => ("domain", provider.to_owned()),
        None => (
            "relay",
            stored
                .split_once(':')
                .map_or_else(|| stored.clone(), |(_, name)| name.to_owned()),
        ),
    };
    let learnt = measures
        .iter()
        .find(|m| m.name == stored)
        .and_then(|m| m.learned)
        .map(|learned| learned.per_minute);
    let overridden = words
        .iter()
        .find(|(name, _)| *name == stored)
        .map(|(_, per_minute)| *per_minute);
    let per_minute = effective_rate(overridden.unwrap_or(set), learnt);
    let set = (set > 0).then_some(set);
    Line {
        name,
        kind,
        set,
        learnt,
        overridden,
        per_minute,
        today: None,
        given_today: None,
    }
}

/// What today allows a relay that is warmed up, and what may have gone of it.
async fn today(
    relay: &Relay,
    store: &Store,
    now: Timestamp,
) -> Result<(Option<u64>, Option<u64>), Failure> {
    let Some(plan) = relay.warm_up else {
        return Ok((None, None));
    };
    let (days, given) = store.warm_up(&relay.name, day_of(now)).await?;
    Ok((plan.allowed(days), plan.allowed(days).map(|_| given)))
}

fn as_table(lines: &[Line]) -> String {
    let rate =
        |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), |rate| count(rate.round() as u64));
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let word = line.overridden.map_or_else(
                || "–".to_owned(),
                |word| {
                    if word == 0 {
                        "no limit".into()
                    } else {
                        count(u64::from(word))
                    }
                },
            );
            let today = match (line.today, line.given_today) {
                (Some(today), Some(given)) => format!("{} of {}", count(given), count(today)),
                _ => String::new(),
            };
            let holds = line
                .per_minute
                .map_or_else(|| "no limit".to_owned(), |_| rate(line.per_minute));
            vec![
                line.name.clone(),
                line.kind.to_owned(),
                rate(line.set.map(f64::from)),
                rate(line.learnt),
                word,
                holds,
                today,
            ]
        })
        .collect();
    let head = [
        "name",
        "kind",
        ">set",
        ">learnt",
        ">said",
        ">a minute",
        "today",
    ];
    layout::table(&head, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rate::LearnedRate;

    fn settings() -> Settings {
        crate::config::of_text(
            "[relay.main]\nhost = \"h\"\nmessages_per_minute = 600\n[domain.\"googlemail.com\"]\nmessages_per_minute = 60\n\
             [list.w]\nname = \"W\"\nfrom = \"a@b.example\"\n",
        )
    }

    #[test]
    fn a_name_is_a_relay_or_stands_for_a_provider() {
        let settings = settings();
        let name = |text| stored_name(&settings, text).ok();
        assert_eq!(name("main").as_deref(), Some("relay:main"));
        assert_eq!(name("GoogleMail.com").as_deref(), Some("domain:gmail.com"));
        assert_eq!(
            name("readers.example").as_deref(),
            Some("domain:readers.example")
        );
        assert_eq!(name("mian"), None);
    }

    #[test]
    fn what_holds_is_the_word_or_the_setting_and_no_more_than_was_learnt() {
        let measure = |name: &str, rate| SavedRate {
            name: name.into(),
            due_at: None,
            learned: Some(LearnedRate {
                per_minute: rate,
                ceiling: 900.0,
            }),
            saved_at: Timestamp::UNIX_EPOCH,
            is_final: false,
        };
        let measures = [measure("relay:main", 30.0)];
        let holds = |words: &[(String, u32)], measures: &[SavedRate]| {
            line("relay:main".into(), 600, measures, words).per_minute
        };
        assert_eq!(holds(&[], &[]), Some(600.0));
        assert_eq!(holds(&[], &measures), Some(30.0));
        assert_eq!(holds(&[("relay:main".into(), 20)], &measures), Some(20.0));
        assert_eq!(holds(&[("relay:main".into(), 0)], &[]), None);
    }

    #[test]
    fn words_are_numbers_or_off() {
        assert!(word("off").is_ok() && word("0").is_ok() && word("600").is_ok());
        assert!(word("-1").is_err() && word("fast").is_err() && word("99999999999").is_err());
    }
}
