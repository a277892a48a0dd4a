//! The limits of each provider, as the sections `[domain.NAME]` of the settings give them.

use std::collections::HashMap;

use super::provider::{Providers, known};

/// The limits of one provider; 0: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Messages a minute to it, by all relays together.
    pub messages_per_minute: u32,
    /// Mails to it that may be in flight at the same time, each on a connection of its own.
    pub connections: u32,
    /// Mails to it on one connection, after which another one is opened.
    pub messages_per_connection: u32,
}

impl Limits {
    /// Whether there is any limit.
    pub fn is_some(&self) -> bool {
        *self != Limits::default()
    }
}

/// One section `[domain.NAME]`.
#[derive(Clone, Debug)]
pub struct Section {
    /// The provider, by its own name or by any of its domains; in lower case.
    pub name: String,
    /// Further domains of the same provider.
    pub domains: Vec<String>,
    /// What holds for all its domains together.
    pub limits: Limits,
}

/// The limits of every provider.
#[derive(Clone, Debug, Default)]
pub struct DomainLimits {
    /// Which provider a domain belongs to.
    pub providers: Providers,
    named: HashMap<String, Limits>,
    /// What holds for each provider that no section names, on its own.
    others: Limits,
}

impl DomainLimits {
    /// From the sections, with the limits of each provider that none of them names.
    pub fn new(sections: Vec<Section>, others: Limits) -> DomainLimits {
        let (mut added, mut named) = (Vec::new(), HashMap::new());
        for section in sections {
            let provider = known(&section.name).map_or(section.name, str::to_owned);
            added.extend(
                section
                    .domains
                    .into_iter()
                    .map(|domain| (domain, provider.clone())),
            );
            named.insert(provider, section.limits);
        }
        DomainLimits {
            providers: Providers::with(added),
            named,
            others,
        }
    }

    /// The limits of a provider.
    pub fn of(&self, provider: &str) -> Limits {
        self.named.get(provider).copied().unwrap_or(self.others)
    }

    /// The providers that sections name.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Whether no provider is limited.
    pub fn is_empty(&self) -> bool {
        !self.others.is_some() && !self.named.values().any(Limits::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_minute(messages_per_minute: u32) -> Limits {
        Limits {
            messages_per_minute,
            ..Limits::default()
        }
    }

    #[test]
    fn a_section_holds_for_the_whole_provider() {
        let gmail = Section {
            name: "googlemail.com".into(),
            domains: Vec::new(),
            limits: per_minute(60),
        };
        let acme = Section {
            name: "acme".into(),
            domains: vec!["acme.example".into(), "acme.test".into()],
            limits: per_minute(5),
        };
        let limits = DomainLimits::new(vec![gmail, acme], per_minute(100));
        let of = |domain| limits.of(limits.providers.of(domain)).messages_per_minute;
        assert_eq!(
            ["gmail.com", "googlemail.com", "acme.test", "x.example"].map(of),
            [60, 60, 5, 100]
        );
        assert!(!limits.is_empty() && DomainLimits::default().is_empty());
    }
}
