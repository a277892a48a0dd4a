//! Which provider takes the mails of a domain: one provider often has many, and counts us over all of them. Pure.
//!
//! Domains that no table names are providers of their own. What each may get is left to [`super::limits`].

use std::collections::HashMap;

/// Providers with their domains: those of free mail that hand out addresses under several names. A name with
/// `.*` at its end stands for every country of it (`yahoo.co.uk`, `hotmail.fr`).
///
/// After Thunderbird's ISP database (github.com/thunderbird/autoconfig, ispdb: yahoo.com.xml, which notes that
/// AOL shares its servers; gmx.com.xml; googlemail.com.xml; hotmail.com.xml), with the Chinese, Russian, Apple
/// and Proton names that are commonly known. `[domain.NAME] domains` adds to it.
const KNOWN: &[(&str, &[&str])] = &[
    ("gmail.com", &["gmail.com", "googlemail.com"]),
    (
        "outlook.com",
        &["outlook.*", "hotmail.*", "live.*", "msn.com"],
    ),
    (
        "yahoo.com",
        &[
            "yahoo.*",
            "ymail.com",
            "rocketmail.com",
            "myyahoo.com",
            "aol.*",
        ],
    ),
    ("icloud.com", &["icloud.com", "me.com", "mac.com"]),
    ("gmx.net", &["gmx.*", "web.de"]),
    ("qq.com", &["qq.com", "vip.qq.com", "foxmail.com"]),
    (
        "163.com",
        &[
            "163.com",
            "126.com",
            "yeah.net",
            "vip.163.com",
            "vip.126.com",
        ],
    ),
    (
        "proton.me",
        &["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
    ),
    ("yandex.ru", &["yandex.*", "ya.ru"]),
    (
        "mail.ru",
        &["mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru"],
    ),
];

/// The table with what the author added.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// Domain → provider, for those that the settings name; it wins over the table.
    added: HashMap<String, String>,
}

impl Providers {
    /// With further domains, each with the name of its provider.
    pub fn with(added: impl IntoIterator<Item = (String, String)>) -> Providers {
        Providers {
            added: added.into_iter().collect(),
        }
    }

    /// The provider of a domain, given in small letters; the domain itself where no table names it.
    pub fn of<'a>(&'a self, domain: &'a str) -> &'a str {
        match self.added.get(domain) {
            Some(provider) => provider,
            None => known(domain).unwrap_or(domain),
        }
    }
}

/// The provider that the built-in table has for a domain.
pub fn known(domain: &str) -> Option<&'static str> {
    let (first, rest) = domain.split_once('.')?;
    let is_same = |name: &str| match name.strip_suffix(".*") {
        Some(brand) => brand == first && is_country(rest),
        None => name == domain,
    };
    KNOWN
        .iter()
        .find(|(_, names)| names.iter().any(|name| is_same(name)))
        .map(|(provider, _)| *provider)
}

/// Whether this is the ending of a country or of the world (`de`, `com`, `co.uk`, `com.br`), not a domain of
/// somebody who named a host after a brand.
fn is_country(ending: &str) -> bool {
    let short = |label: &str| {
        (2..=3).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_lowercase())
    };
    match ending.split_once('.') {
        None => short(ending) || ending == "info",
        Some((second, country)) => {
            matches!(second, "co" | "com" | "net" | "org") && country.len() == 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_domains_are_one_provider() {
        let providers = Providers::default();
        for (domain, provider) in [
            ("gmail.com", "gmail.com"),
            ("googlemail.com", "gmail.com"),
            ("hotmail.co.uk", "outlook.com"),
            ("live.fr", "outlook.com"),
            ("yahoo.com.br", "yahoo.com"),
            ("aol.de", "yahoo.com"),
            ("web.de", "gmx.net"),
            ("gmx.at", "gmx.net"),
            ("foxmail.com", "qq.com"),
            ("yeah.net", "163.com"),
            ("pm.me", "proton.me"),
            ("ya.ru", "yandex.ru"),
            ("bk.ru", "mail.ru"),
            ("mac.com", "icloud.com"),
        ] {
            assert_eq!(providers.of(domain), provider, "{domain}");
        }
    }

    #[test]
    fn who_only_looks_alike_stands_alone() {
        let providers = Providers::default();
        for domain in [
            "yahoo.example.org",
            "gmail.com.example",
            "mail.gmail.com",
            "live.acme.io",
            "x.example",
        ] {
            assert_eq!(providers.of(domain), domain);
        }
    }

    #[test]
    fn the_authors_table_wins() {
        let added = [("acme.example", "acme"), ("googlemail.com", "acme")];
        let providers = Providers::with(added.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(providers.of("acme.example"), "acme");
        assert_eq!(providers.of("googlemail.com"), "acme");
        assert_eq!(providers.of("gmail.com"), "gmail.com");
    }

    #[test]
    fn no_domain_stands_in_the_table_twice() {
        let mut all: Vec<&str> = KNOWN
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for (provider, names) in KNOWN {
            assert!(
                known(provider) == Some(provider),
                "{provider} is not among {names:?}"
            );
        }
    }
}
