//! Which provider receives the mails of a domain. One provider often has many domains, and limits a sender across all
//! of them. A domain that no table names is a provider of its own.

use std::collections::HashMap;

/// Mailbox providers that have more than one domain. A name that ends with `.*` stands for the brand in every country
/// (`yahoo.co.uk`, `hotmail.fr`).
///
/// The sources are Thunderbird's ISP database (github.com/thunderbird/autoconfig, ispdb: yahoo.com.xml, which notes that
/// AOL shares its servers; gmx.com.xml; googlemail.com.xml; hotmail.com.xml) and, for the Chinese, Russian, Apple and
/// Proton names, common knowledge. `[domain.NAME] domains` adds to it.
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

/// The built-in table, with the domains that the settings add.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// Domain to provider, from the settings; these take precedence over the table.
    added: HashMap<String, String>,
}

impl Providers {
    /// The built-in table with further domains, each with the name of its provider.
    pub fn with(added: impl IntoIterator<Item = (String, String)>) -> Providers {
        Providers {
            added: added.into_iter().collect(),
        }
    }

    /// The provider of a domain, which must be in lower case; the domain itself where no table names it.
    pub fn of<'a>(&'a self, domain: &'a str) -> &'a str {
        match self.added.get(domain) {
            Some(provider) => provider,
            None => known(domain).unwrap_or(domain),
        }
    }
}

/// The provider of a domain by the built-in table alone; the domain must be in lower case.
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

/// Whether this is a public suffix under which a brand registers its name (`de`, `com`, `co.uk`, `com.br`), and not a
/// domain with a host that is named like the brand.
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
