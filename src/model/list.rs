//! A newsletter: what its settings say of it.

use jiff::tz::TimeZone;

/// How links are tagged for the author's own statistics. Values may hold [`Utm::FACTS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utm {
    pub source: String,
    pub medium: String,
    pub campaign: String,
    /// If not empty, only links to these domains and their subdomains are tagged.
    pub only_domains: Vec<String>,
    /// Links to these domains and their subdomains are never tagged.
    pub never_domains: Vec<String>,
}

impl Utm {
    /// What stands for a fact of the issue.
    pub const FACTS: [&str; 4] = ["{list}", "{number}", "{date}", "{slug}"];
}

/// A mailbox: the display name may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: String,
    pub address: super::Address,
}

/// One newsletter. Built by `config` from `[list.KEY]`, and by the defaults where there are no settings.
#[derive(Clone, Debug)]
pub struct List {
    /// The key in settings, URLs, commands and `List-Id`: ASCII letters, digits, `-` and `_`.
    pub key: String,
    pub name: String,
    /// The headline of the subscribe page.
    pub promise: String,
    pub description: String,
    pub from: Mailbox,
    pub unsubscribe_mailto: super::Address,
    pub bounce_address: Option<super::Address>,
    /// BCP 47; an issue's own front matter wins.
    pub language: String,
    /// The folder of issue files, absolute or relative to the working folder.
    pub issues: std::path::PathBuf,
    /// Cron, five fields; `None`: sent by hand only.
    pub schedule: Option<String>,
    pub zone: TimeZone,
    /// The name of a folder in `themes/` or of a theme inside the binary.
    pub theme: String,
    pub postal_address: String,
    /// How long after its sign-up a confirmation link is good.
    pub confirm_within: std::time::Duration,
    /// How long after a confirmation mail no other goes to the same address.
    pub confirm_again_after: std::time::Duration,
    pub utm: Utm,
}
