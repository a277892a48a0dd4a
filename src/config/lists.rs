//! `[list.KEY]`: a newsletter, its UTM tags, and the hours in which its mails may go.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::list::{Mailbox, Utm};
use crate::model::{Address, List, Severity};
use crate::pace::{SendingHours, sending_hours};
use crate::schedule::cron::Plan;

use super::parse;
use super::taker::Taker;
use super::values::Origin;

/// A sender in place of one that is missing.
fn nobody() -> Mailbox {
    Mailbox {
        name: String::new(),
        address: Address::trusted(String::new()),
    }
}

impl Taker<'_> {
    /// The hours in which mails of each list may go, by its key.
    pub(super) fn windows(&mut self) -> HashMap<String, SendingHours> {
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

    /// The list of a key, with its settings.
    pub(super) fn list(&mut self, key: &str) -> List {
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
                "It is part of URLs and List-Id: use ASCII letters, digits, - and _.".into(),
            ));
        }
        let name = self.parsed(&at("name"), parse::name).unwrap_or_default();
        let from = self
            .parsed(&at("from"), parse::mailbox)
            .unwrap_or_else(nobody);
        let zone = self
            .parsed(&at("zone"), parse::zone)
            .unwrap_or(TimeZone::UTC);
        List {
            key: key.to_owned(),
            promise: self.text(&at("promise")).unwrap_or_else(|| name.clone()),
            name,
            description: self.text(&at("description")).unwrap_or_default(),
            unsubscribe_mailto: self
                .parsed(&at("unsubscribe_mailto"), parse::address_of)
                .unwrap_or_else(|| from.address.clone()),
            from,
            reply_to: self.parsed(&at("reply_to"), parse::mailbox),
            headers: self.headers(key),
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
            _ => Err(format!("“{text}” is not a domain")),
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
