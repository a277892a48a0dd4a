//! Rate limits: what holds for each relay and provider, and overrides that take the place of the settings.
//!
//! An operation only reads and writes rows; a daemon follows within a second.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Settings;
use crate::model::rate::SavedRate;
use crate::pace::rate_limit::effective_rate;
use crate::pace::warmup::day_of;
use crate::pace::{PROVIDER_PREFIX, provider_name, relay_name};
use crate::store::Store;

use super::{Refusal, Result};

/// Whose rate is limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A relay of the settings, by its name.
    Relay(String),
    /// The provider of a domain, such as gmail.com for googlemail.com.
    Provider(String),
}

impl Target {
    /// The relay of this name, or else the provider of this domain.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRate`]
    pub(crate) fn of(settings: &Settings, name: &str) -> Result<Target, Refusal> {
        let relays = &settings.sending.relays;
        if relays.iter().any(|relay| relay.name == name) {
            return Ok(Target::Relay(name.to_owned()));
        }
        let domains = &settings.sending.pacing.domains;
        let lower = name.to_lowercase();
        let provider = domains.providers.of(&lower);
        if provider.contains('.') || domains.of(provider).is_some() {
            return Ok(Target::Provider(provider.to_owned()));
        }
        Err(Refusal::NoSuchRate {
            name: name.to_owned(),
            relays: relays.iter().map(|relay| relay.name.clone()).collect(),
        })
    }

    /// The name under which its rate is saved.
    fn saved_name(&self) -> String {
        match self {
            Self::Relay(name) => relay_name(name),
            Self::Provider(name) => provider_name(name),
        }
    }
}

/// Which kind of target a rate is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A relay.
    Relay,
    /// A provider, named by its domain.
    Domain,
}

impl Kind {
    /// The word that people and scripts read.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Domain => "domain",
        }
    }
}

/// One rate limit, in messages a minute; `None`: no limit, or nothing of the kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Rate {
    /// The relay's name or the provider's domain.
    pub name: String,
    /// Which of the two.
    pub kind: Kind,
    /// By the settings.
    pub set: Option<u32>,
    /// Learned from complaints of servers.
    #[serde(rename = "learnt")]
    pub learned: Option<f64>,
    /// In place of the settings; 0: no limit.
    pub overridden: Option<u32>,
    /// What holds.
    pub per_minute: Option<f64>,
    /// Of a relay in its warm-up: the mails that today allows.
    pub today: Option<u64>,
    /// Of a relay in its warm-up: the mails of today's that were given out.
    pub given_today: Option<u64>,
}

/// Sets the rate of a relay or provider in place of the settings, in messages a minute (0: no limit), or takes that
/// back.
///
/// # Errors
/// The database can't be written.
pub(crate) async fn set_override(
    store: &Store,
    target: &Target,
    per_minute: Option<u32>,
    now: Timestamp,
) -> Result<()> {
    Ok(store
        .override_rate(&target.saved_name(), per_minute, now)
        .await?)
}

/// The rate of one relay or provider.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn one(
    settings: &Settings,
    store: &Store,
    target: &Target,
    now: Timestamp,
) -> Result<Vec<Rate>> {
    let mut rates = rates(settings, store, now, Some(target)).await?;
    rates.retain(|rate| match target {
        Target::Relay(name) => rate.kind == Kind::Relay && rate.name == *name,
        Target::Provider(name) => rate.kind == Kind::Domain && rate.name == *name,
    });
    Ok(rates)
}

/// The rates of every relay, and of every provider that is limited or was.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn all(settings: &Settings, store: &Store, now: Timestamp) -> Result<Vec<Rate>> {
    rates(settings, store, now, None).await
}

async fn rates(
    settings: &Settings,
    store: &Store,
    now: Timestamp,
    also: Option<&Target>,
) -> Result<Vec<Rate>> {
    let (saved, overrides) = (store.saved_rates().await?, store.rate_overrides().await?);
    let mut rates = Vec::new();
    for relay in &settings.sending.relays {
        let target = Target::Relay(relay.name.clone());
        let mut rate = rate(target, relay.messages_per_minute, &saved, &overrides);
        if let Some(plan) = relay.warm_up {
            let (days, given) = store.warmup_days(&relay.name, day_of(now)).await?;
            rate.today = plan.allowed(days);
            rate.given_today = rate.today.map(|_| given);
        }
        rates.push(rate);
    }
    let domains = &settings.sending.pacing.domains;
    let also = also.map(Target::saved_name);
    let learned = saved
        .iter()
        .filter(|rate| rate.learned.is_some())
        .map(|rate| rate.name.as_str());
    let mut providers: Vec<String> = learned
        .chain(overrides.iter().map(|(name, _)| name.as_str()))
        .chain(also.as_deref())
        .filter_map(|name| name.strip_prefix(PROVIDER_PREFIX))
        .chain(domains.named())
        .map(str::to_owned)
        .collect();
    providers.sort_unstable();
    providers.dedup();
    for provider in providers {
        let set = domains.of(&provider).messages_per_minute;
        rates.push(rate(Target::Provider(provider), set, &saved, &overrides));
    }
    Ok(rates)
}

fn rate(target: Target, set: u32, saved: &[SavedRate], overrides: &[(String, u32)]) -> Rate {
    let saved_name = target.saved_name();
    let (kind, name) = match target {
        Target::Relay(name) => (Kind::Relay, name),
        Target::Provider(name) => (Kind::Domain, name),
    };
    let learned = saved
        .iter()
        .find(|rate| rate.name == saved_name)
        .and_then(|rate| rate.learned)
        .map(|learned| learned.per_minute);
    let overridden = overrides
        .iter()
        .find(|(name, _)| *name == saved_name)
        .map(|(_, per_minute)| *per_minute);
    Rate {
        name,
        kind,
        set: (set > 0).then_some(set),
        learned,
        overridden,
        per_minute: effective_rate(overridden.unwrap_or(set), learned),
        today: None,
        given_today: None,
    }
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
        let target = |text| Target::of(&settings, text);
        assert_eq!(target("main"), Ok(Target::Relay("main".into())));
        let provider = |name: &str| Ok(Target::Provider(name.into()));
        assert_eq!(target("GoogleMail.com"), provider("gmail.com"));
        assert_eq!(target("readers.example"), provider("readers.example"));
        assert_eq!(
            target("mian"),
            Err(Refusal::NoSuchRate {
                name: "mian".into(),
                relays: vec!["main".into()]
            })
        );
    }

    #[test]
    fn the_override_or_the_setting_holds_and_no_more_than_was_learned() {
        let saved = [SavedRate {
            name: "relay:main".into(),
            due_at: None,
            learned: Some(LearnedRate {
                per_minute: 30.0,
                ceiling: 900.0,
            }),
            saved_at: Timestamp::UNIX_EPOCH,
            is_final: false,
        }];
        let holds = |overrides: &[(String, u32)], saved: &[SavedRate]| {
            rate(Target::Relay("main".into()), 600, saved, overrides).per_minute
        };
        assert_eq!(holds(&[], &[]), Some(600.0));
        assert_eq!(holds(&[], &saved), Some(30.0));
        assert_eq!(holds(&[("relay:main".into(), 20)], &saved), Some(20.0));
        assert_eq!(holds(&[("relay:main".into(), 0)], &[]), None);
    }
}
