//! From values to plain structs; everything that is wrong is gathered, not only the first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::delivery;
use crate::model::list::{Mailbox, Utm};
use crate::model::{Address, Finding, List, Severity};
use crate::pace::{Pacing, PauseAbove, SendingHours, sending_hours};
use crate::schedule::cron::Plan;

use super::keys::{Fallback, find};
use super::values::{Origin, Value, Values};
use super::{Log, Settings, environment, parse};

/// The most mails a minute that can be set.
pub(super) const PER_MINUTE_MAX: i64 = 10_000_000;

/// Builds the settings of a file in `folder`; findings are added to `findings`.
///
/// A value that is wrong or missing leaves an empty one in its place, so that the rest can be looked at;
/// settings with an error among their findings are never handed out.
pub(super) fn build(values: &Values, folder: &Path, findings: &mut Vec<Finding>) -> Settings {
    let mut taker = Taker {
        values,
        folder,
        findings,
    };
    let settings = Settings {
        file: None,
        folder: folder.to_owned(),
        listen: taker
            .parsed(&["web", "listen"], parse::listen)
            .unwrap_or_default(),
        public_url: taker.parsed(&["web", "public_url"], parse::public_url),
        trusted_proxies: taker.each(&["web", "trusted_proxies"], parse::network),
        database: taker.path(&["store", "path"]).unwrap_or_default(),
        log: Log {
            level: taker
                .parsed(&["log", "level"], |t| {
                    parse::choice(t, &["error", "warn", "info", "debug", "trace"])
                })
                .unwrap_or("info"),
            format: taker
                .parsed(&["log", "format"], |t| {
                    parse::choice(t, &["auto", "text", "json", "journald"])
                })
                .unwrap_or("auto"),
        },
        sending: delivery::Settings {
            relays: values
                .names("relay")
                .iter()
                .map(|name| taker.relay(name))
                .collect(),
            batch_size: taker.number(&["sending", "batch_size"], 1, 1_000_000) as usize,
            pause_between_batches: taker
                .duration(&["sending", "pause_between_batches"], Duration::ZERO),
            first_retry: taker.duration(&["sending", "first_retry"], Duration::from_secs(1)),
            longest_retry: taker.duration(&["sending", "longest_retry"], Duration::from_secs(1)),
            give_up_after: taker.duration(&["sending", "give_up_after"], Duration::from_secs(1)),
            hold_when_late: taker.duration(&["sending", "hold_when_late"], Duration::ZERO),
            pacing: Pacing {
                domains: taker.domains(),
                windows: taker.windows(),
                pause_above: PauseAbove {
                    failed: taker.decimal(&["sending", "pause_above_failed"], 0.0, 1.0),
                    deferred: taker.decimal(&["sending", "pause_above_deferred"], 0.0, 1.0),
                },
            },
            dkim: folder.join("dkim"),
        },
        lists: values
            .names("list")
            .iter()
            .map(|key| taker.list(key))
            .collect(),
    };
    if settings.sending.longest_retry < settings.sending.first_retry {
        taker.wrong(
            &["sending", "longest_retry"],
            "sending.longest_retry is shorter than first_retry".into(),
            "Waits grow from first_retry to longest_retry.",
        );
    }
    if settings.sending.give_up_after < settings.sending.first_retry {
        taker.wrong(
            &["sending", "give_up_after"],
            "sending.give_up_after is shorter than first_retry".into(),
            "Nobody would be tried a second time.",
        );
    }
    settings
}

/// The words with a capital at their beginning.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// In the place of a sender that is missing.
fn nobody() -> Mailbox {
    Mailbox {
        name: String::new(),
        address: Address::trusted(String::new()),
    }
}

/// Takes values out one by one and notes what is wrong with them.
pub(super) struct Taker<'v> {
    pub(super) values: &'v Values,
    folder: &'v Path,
    pub(super) findings: &'v mut Vec<Finding>,
}

impl Taker<'_> {
    /// The value of a path, or its default. A required one that is missing becomes a finding.
    pub(super) fn value(&mut self, path: &[&str]) -> Option<Value> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        if let Some((value, _)) = self.values.set.get(&path) {
            return Some(value.clone());
        }
        let key = find(&path)?;
        match key.fallback {
            Fallback::Is(text) => environment::read(key.kind, text),
            Fallback::Unset(_) | Fallback::Always(_) => None,
            Fallback::Required => {
                let origin = path
                    .get(..2)
                    .and_then(|section| self.values.sections.get(section));
                let message = format!("{} is not set", path.join("."));
                let help = format!("There must be one: {}.", key.about);
                let origin = origin.unwrap_or(&Origin::Default);
                self.findings.push(self.values.finding(
                    Severity::Error,
                    "required",
                    origin,
                    message,
                    help,
                ));
                None
            }
        }
    }

    pub(super) fn origin(&self, path: &[&str]) -> &Origin {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.values
            .set
            .get(&path)
            .map_or(&Origin::Default, |(_, origin)| origin)
    }

    pub(super) fn note(
        &mut self,
        severity: Severity,
        code: &'static str,
        path: &[&str],
        message: String,
        help: &str,
    ) {
        let finding =
            self.values
                .finding(severity, code, self.origin(path), message, help.to_owned());
        self.findings.push(finding);
    }

    pub(super) fn wrong(&mut self, path: &[&str], message: String, help: &str) {
        self.note(Severity::Error, "value", path, message, help);
    }

    pub(super) fn text(&mut self, path: &[&str]) -> Option<String> {
        match self.value(path)? {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Decimal(_) | Value::Texts(_) => None,
        }
    }

    pub(super) fn parsed<T>(
        &mut self,
        path: &[&str],
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(path)?;
        read(&text).map_err(|why| self.wrong_text(path, &why)).ok()
    }

    /// A text that can't be taken. The reason shows what could be; the help, what the setting is for.
    pub(super) fn wrong_text(&mut self, path: &[&str], why: &str) {
        let owned: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let help = find(&owned).map_or_else(String::new, |key| {
            let otherwise = match key.fallback {
                Fallback::Required | Fallback::Is("") => String::new(),
                Fallback::Is(text) => format!("; the default is {text}"),
                Fallback::Unset(words) | Fallback::Always(words) => format!("; not set: {words}"),
            };
            sentence(&format!("{}{otherwise}.", key.about))
        });
        self.wrong(path, format!("{}: {why}", path.join(".")), &help);
    }

    pub(super) fn each<T>(
        &mut self,
        path: &[&str],
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let Some(Value::Texts(texts)) = self.value(path) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for text in texts {
            match read(&text) {
                Ok(value) => out.push(value),
                Err(why) => self.wrong_text(path, &why),
            }
        }
        out
    }

    pub(super) fn number(&mut self, path: &[&str], least: i64, most: i64) -> i64 {
        let Some(Value::Number(number)) = self.value(path) else {
            return least;
        };
        if (least..=most).contains(&number) {
            return number;
        }
        let message = format!("{} can't be {number}", path.join("."));
        self.wrong(
            path,
            message,
            &format!("Write a number from {least} to {most}."),
        );
        least
    }

    pub(super) fn decimal(&mut self, path: &[&str], least: f64, most: f64) -> f64 {
        let Some(Value::Decimal(text)) = self.value(path) else {
            return least;
        };
        match text.parse::<f64>() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                let message = format!("{} can't be {text}", path.join("."));
                self.wrong(
                    path,
                    message,
                    &format!("Write a number from {least} to {most}."),
                );
                least
            }
        }
    }

    pub(super) fn duration(&mut self, path: &[&str], least: Duration) -> Duration {
        let Some(duration) = self.parsed(path, parse::duration) else {
            return least;
        };
        if duration < least {
            self.wrong(
                path,
                format!("{} is too short", path.join(".")),
                "Write at least 1s.",
            );
        }
        duration
    }

    /// A path, relative to the settings' folder.
    pub(super) fn path(&mut self, path: &[&str]) -> Option<PathBuf> {
        let text = self.text(path)?;
        if text.is_empty() {
            self.wrong(
                path,
                format!("{} is empty", path.join(".")),
                "Write a path.",
            );
        }
        Some(self.folder.join(text))
    }

    /// When mails of each list may go, by its key.
    fn windows(&mut self) -> HashMap<String, SendingHours> {
        let days = self.each(&["sending", "window_days"], sending_hours::weekday);
        let zone = self.parsed(&["sending", "window_zone"], parse::zone);
        let read = |text: &str, zone: TimeZone| SendingHours::parse(text, days.clone(), zone);
        let common = self.parsed(&["sending", "window"], |t| {
            read(t, TimeZone::UTC).map(|_| t.to_owned())
        });
        let mut windows = HashMap::new();
        for list in self.values.names("list") {
            // A zone that is wrong is said where the list is read.
            let home = self
                .text(&["list", &list, "zone"])
                .and_then(|zone| parse::zone(&zone).ok());
            let home = home.unwrap_or(TimeZone::UTC);
            let own = ["list", list.as_str(), "send_between"];
            let window = match self.text(&own) {
                Some(text) if text == "always" => None,
                Some(_) => self.parsed(&own, |text| read(text, home.clone())),
                None => {
                    let zone = zone.clone().unwrap_or(home);
                    common.as_ref().and_then(|text| read(text, zone).ok())
                }
            };
            windows.extend(window.map(|window| (list, window)));
        }
        windows
    }

    fn list(&mut self, key: &str) -> List {
        let at = |name| ["list", key, name];
        if key.is_empty()
            || !key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        {
            let path = ["list".to_owned(), key.to_owned()];
            let origin = self
                .values
                .sections
                .get(&path[..])
                .unwrap_or(&Origin::Default);
            self.findings.push(self.values.finding(
                Severity::Error,
                "value",
                origin,
                format!("“{key}” can't be the key of a list"),
                "It stands in addresses: use letters of ASCII, digits, - and _.".into(),
            ));
        }
        let name = self.parsed(&at("name"), parse::name).unwrap_or_default();
        let from = self
            .parsed(&at("from"), parse::mailbox)
            .unwrap_or_else(nobody);
        let zone = self
            .parsed(&at("zone"), parse::zone)
            .unwrap_or(jiff::tz::TimeZone::UTC);
        List {
            key: key.to_owned(),
            promise: self.text(&at("promise")).unwrap_or_else(|| name.clone()),
            name,
            description: self.text(&at("description")).unwrap_or_default(),
            unsubscribe_mailto: self
                .parsed(&at("unsubscribe_mailto"), parse::address_of)
                .unwrap_or_else(|| from.address.clone()),
            from,
            bounce_address: self.parsed(&at("bounce_address"), parse::bounce_address),
            language: self
                .parsed(&at("language"), parse::language)
                .unwrap_or_default(),
            issues: self.path(&at("issues")).unwrap_or_default(),
            schedule: self.parsed(&at("schedule"), |text| {
                Plan::parse(text, zone.clone())
                    .map(|_| text.to_owned())
                    .map_err(|error| error.to_string())
            }),
            zone,
            theme: self.text(&at("theme")).unwrap_or_default(),
            postal_address: self.text(&at("postal_address")).unwrap_or_default(),
            confirm_within: self.duration(&at("confirm_within"), Duration::from_secs(1)),
            confirm_again_after: self.duration(&at("confirm_again_after"), Duration::from_secs(1)),
            utm: self.utm(key),
        }
    }

    fn utm(&mut self, key: &str) -> Utm {
        let domain = |text: &str| match idna::domain_to_ascii(text.trim_start_matches("*.")) {
            Ok(domain) if !domain.is_empty() => Ok(domain),
            _ => Err(format!("“{text}” is no domain")),
        };
        Utm {
            source: self
                .text(&["list", key, "utm", "source"])
                .unwrap_or_default(),
            medium: self
                .text(&["list", key, "utm", "medium"])
                .unwrap_or_default(),
            campaign: self
                .text(&["list", key, "utm", "campaign"])
                .unwrap_or_default(),
            only_domains: self.each(&["list", key, "utm", "only_domains"], domain),
            never_domains: self.each(&["list", key, "utm", "never_domains"], domain),
        }
    }
}
