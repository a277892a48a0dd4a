//! `[domain.NAME]`: what each provider may get, and that no two sections apply to the same one.
//!
//! Which domains belong together is known to `pace`; here only the author's sections are compared.

use std::collections::HashMap;

use crate::model::Severity;
use crate::pace::provider::Providers;
use crate::pace::{DomainLimits, Limits, Section};

use super::parse;
use super::taker::{PER_MINUTE_MAX, Taker};
use super::values::Origin;

impl Taker<'_> {
    /// All sections; the name `default` stands for every provider that has none.
    pub(super) fn domains(&mut self) -> DomainLimits {
        let (mut sections, mut others) = (Vec::new(), Limits::default());
        let mut claims = Claims::default();
        for name in self.values.names("domain") {
            let at = |key| ["domain", name.as_str(), key];
            let limits = Limits {
                messages_per_minute: self.number(&at("messages_per_minute"), 0, PER_MINUTE_MAX)
                    as u32,
                connections: self.number(&at("connections"), 0, 1000) as u32,
                messages_per_connection: self.number(&at("messages_per_connection"), 0, 1_000_000)
                    as u32,
            };
            let domains = self.each(&at("domains"), parse::domain);
            if name == "default" {
                others = limits;
                if !domains.is_empty() {
                    self.wrong_section(
                        &name,
                        "[domain.default] can't have domains: it applies to every domain without a section of its own".into(),
                        "Add a section for the provider of these domains.".into(),
                    );
                }
                continue;
            }
            let domain = parse::domain(&name);
            if domain.is_err() && domains.is_empty() {
                self.wrong_section(
                    &name,
                    format!("[domain.{name}] names no domain"),
                    format!("Write for example [domain.\"{name}.com\"], or set domains = [\"…\"]."),
                );
            }
            let section = Section {
                name: domain.unwrap_or_else(|_| name.clone()),
                domains,
                limits,
            };
            if let Some((shared, other)) = claims.add(&name, &section) {
                self.wrong_section(
                    &name,
                    format!("[domain.\"{name}\"] and [domain.\"{other}\"] both apply to {shared}"),
                    "The domains of a provider share its limits: keep one of the sections.".into(),
                );
            }
            sections.push(section);
        }
        DomainLimits::new(sections, others)
    }

    /// A finding at the line on which a section begins.
    fn wrong_section(&mut self, name: &str, message: String, help: String) {
        let path = ["domain".to_owned(), name.to_owned()];
        let origin = self
            .values
            .sections
            .get(&path[..])
            .unwrap_or(&Origin::Default);
        self.findings.push(
            self.values
                .finding(Severity::Error, "value", origin, message, help),
        );
    }
}

/// What the sections so far speak for, with the name of each as its author wrote it.
#[derive(Default)]
struct Claims {
    /// By the provider that the built-in table has for a section's name.
    providers: HashMap<String, String>,
    /// By domain: a section's own name, and those that it adds.
    domains: HashMap<String, String>,
}

impl Claims {
    /// Adds a section; gives what it shares with an earlier one, and that one's name.
    fn add(&mut self, name: &str, section: &Section) -> Option<(String, String)> {
        let provider = Providers::default().of(&section.name).to_owned();
        let mut shared = claim(&mut self.providers, provider, name);
        for domain in section.domains.iter().chain([&section.name]) {
            shared = shared.or(claim(&mut self.domains, domain.clone(), name));
        }
        shared
    }
}

fn claim(
    claims: &mut HashMap<String, String>,
    what: String,
    name: &str,
) -> Option<(String, String)> {
    let other = claims
        .insert(what.clone(), name.to_owned())
        .filter(|other| other != name)?;
    Some((what, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(sections: &[(&str, &[&str])]) -> Vec<String> {
        let mut claims = Claims::default();
        let mut add = |(name, domains): &(&str, &[&str])| {
            let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
            let section = Section {
                name: (*name).to_owned(),
                domains,
                limits: Limits::default(),
            };
            claims
                .add(name, &section)
                .map(|(what, other)| format!("{what} {other}"))
        };
        sections.iter().filter_map(&mut add).collect()
    }

    #[test]
    fn two_sections_never_speak_for_one_provider() {
        assert_eq!(
            shared(&[("gmail.com", &[]), ("googlemail.com", &[])]),
            ["gmail.com gmail.com"]
        );
        assert_eq!(
            shared(&[("gmail.com", &["outlook.com"]), ("outlook.com", &[])]),
            ["outlook.com gmail.com"]
        );
        assert_eq!(
            shared(&[("a", &["x.example"]), ("b", &["y.example", "x.example"])]),
            ["x.example a"]
        );
    }

    #[test]
    fn one_section_may_name_a_domain_that_it_has_anyhow_or_take_one_from_the_table() {
        assert!(shared(&[("gmail.com", &["googlemail.com", "gmail.com"])]).is_empty());
        assert!(shared(&[("gmail.com", &[]), ("acme", &["googlemail.com"])]).is_empty());
    }
}
