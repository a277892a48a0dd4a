//! A newsletter: what its settings say of it.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::Address;

/// How links are tagged for the author's own statistics. Values may hold [`Utm::FACTS`]; an empty value adds no
/// parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utm {
    /// The parameter `utm_source`.
    pub source: String,
    /// The parameter `utm_medium`.
    pub medium: String,
    /// The parameter `utm_campaign`.
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

/// A mailbox: a display name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// May be empty.
    pub name: String,
    /// The address alone, without brackets.
    pub address: Address,
}

/// One newsletter. Built by `config` from `[list.KEY]`, and from its defaults where there are no settings.
#[derive(Clone, Debug)]
pub struct List {
    /// The key in settings, URLs, commands and `List-Id`: ASCII letters, digits, `-` and `_`.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// The headline of the subscribe page.
    pub promise: String,
    /// A sentence or two below the headline; may be empty.
    pub description: String,
    /// The header From of its issues and confirmation mails.
    pub from: Mailbox,
    /// The header Reply-To of its issues and confirmation mails; `None`: answers go to `from`.
    pub reply_to: Option<Mailbox>,
    /// Further headers of its issues, by name; none of those that we write ourselves.
    pub headers: Vec<(String, String)>,
    /// The address of the `mailto:` in List-Unsubscribe (RFC 2369).
    pub unsubscribe_mailto: Address,
    /// The envelope sender, to which mails are returned; `None`: the address of `from`.
    pub bounce_address: Option<Address>,
    /// BCP 47; an issue's own front matter wins.
    pub language: String,
    /// The folder of issue files, absolute or relative to the working folder.
    pub issues: PathBuf,
    /// Cron, five fields; `None`: sent by hand only.
    pub schedule: Option<String>,
    /// The zone in which the schedule counts and dates are shown.
    pub zone: TimeZone,
    /// The name of a folder in `themes/` or of a theme inside the binary.
    pub theme: String,
    /// The sender's postal address in the footer, several lines; empty: none is shown.
    pub postal_address: String,
    /// How long after its sign-up a confirmation link is good.
    pub confirm_within: Duration,
    /// How long after a confirmation mail no other goes to the same address.
    pub confirm_again_after: Duration,
    /// How links are tagged.
    pub utm: Utm,
}

impl List {
    /// A plain list: in English, in UTC, with the theme `magazine`, sent by hand, without tags on links. Confirmation
    /// links are good for 72 hours, and no second one goes out within an hour.
    pub fn new(key: &str, name: &str, from: Mailbox) -> List {
        List {
            key: key.into(),
            name: name.into(),
            promise: String::new(),
            description: String::new(),
            unsubscribe_mailto: from.address.clone(),
            from,
            reply_to: None,
            headers: Vec::new(),
            bounce_address: None,
            language: "en".into(),
            issues: "issues".into(),
            schedule: None,
            zone: TimeZone::UTC,
            theme: "magazine".into(),
            postal_address: String::new(),
            confirm_within: Duration::from_secs(72 * 3600),
            confirm_again_after: Duration::from_secs(3600),
            utm: Utm::default(),
        }
    }
}
