//! What is not an error in the settings, but worth a warning.

use std::path::Path;

use super::settings::Settings;
use super::values::{Origin, Values};
use crate::model::list::Utm;
use crate::model::{Finding, Severity};
use crate::smtp::Tls;

/// Every warning about these settings.
pub(super) fn advice(settings: &Settings, values: &Values) -> Vec<Finding> {
    let mut advice = Advice {
        values,
        findings: Vec::new(),
    };
    advice.of_links(settings);
    advice.of_proxies(settings);
    if settings.lists.is_empty() {
        let help = "Add a section such as [list.weekly] with name and from.";
        advice.say("no-list", &[], "no list is set", help);
    }
    if settings.sending.relays.is_empty() {
        let help = "Add a section such as [relay.main] with its host.";
        advice.say("no-relay", &[], "no relay is set", help);
    }
    advice.of_relays(settings);
    advice.of_ports(settings);
    advice.of_placeholders(settings);
    advice.of_tags(settings);
    advice.findings
}

/// Passwords in a file of settings that others can read.
pub(super) fn open_passwords(file: &Path, values: &Values) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    if !std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
        return Vec::new();
    }
    let is_password = |path: &[String]| matches!(path, [relay, _, last] if relay == "relay" && last == "password");
    let set = values.set.iter().filter(|(path, _)| is_password(path));
    let in_file = set.filter(|(_, (_, origin))| matches!(origin, Origin::File(..)));
    let finding = |(path, (_, origin)): (&Vec<String>, &(_, Origin))| {
        let message = format!("{} is in a file that other users can read", path.join("."));
        let help = format!(
            "Run chmod 600 {}, or move it to a file of its own and set password_file.",
            file.display()
        );
        values.finding(
            Severity::Warning,
            "password-readable",
            origin,
            message,
            help,
        )
    };
    in_file.map(finding).collect()
}

struct Advice<'v> {
    values: &'v Values,
    findings: Vec<Finding>,
}

impl Advice<'_> {
    /// A warning, at the place of a value where it has one.
    fn say(&mut self, code: &'static str, path: &[&str], message: &str, help: &str) {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let origin = self
            .values
            .set
            .get(&path)
            .map_or(&Origin::Default, |(_, origin)| origin);
        let finding = self.values.finding(
            Severity::Warning,
            code,
            origin,
            message.to_owned(),
            help.to_owned(),
        );
        self.findings.push(finding);
    }

    fn of_links(&mut self, settings: &Settings) {
        let is_wrong = self
            .values
            .set
            .contains_key(&["web", "public_url"].map(str::to_owned)[..]);
        match settings.public_url.as_deref() {
            // It is wrong, and that is said already.
            None if is_wrong => {}
            None => self.say(
                "public-url-unset",
                &[],
                "web.public_url is not set, so nothing can be sent yet",
                "Set it to the URL at which readers reach this daemon: every link in a mail begins with it.",
            ),
            Some(url) if url.starts_with("http://") && !is_loopback(url) => self.say(
                "public-url-clear",
                &[],
                "web.public_url begins with http://",
                "Mail providers accept one-click unsubscribe (RFC 8058) only over https: put a reverse proxy with TLS in front of the daemon.",
            ),
            Some(_) => {}
        }
    }

    /// Trusted proxies that are half the internet.
    fn of_proxies(&mut self, settings: &Settings) {
        for block in settings.trusted_proxies.iter().filter(|b| b.is_wide()) {
            self.say(
                "proxies-wide",
                &["web", "trusted_proxies"],
                &format!(
                    "web.trusted_proxies: {block} covers public networks of strangers, who can then claim any address"
                ),
                "Name only the addresses of your own proxies, such as 127.0.0.1/32: limits and consent records depend on them.",
            );
        }
    }

    /// Relays on other machines to which mails would go unencrypted.
    fn of_relays(&mut self, settings: &Settings) {
        let far = |host: &str| {
            !is_loopback(&format!("http://{host}")) && !is_loopback(&format!("http://[{host}]"))
        };
        for relay in settings
            .sending
            .relays
            .iter()
            .filter(|relay| relay.endpoint.tls == Tls::None && far(&relay.endpoint.host))
        {
            let what = if relay.endpoint.login.is_some() {
                "mails and its password go"
            } else {
                "mails go"
            };
            self.say(
                "relay-clear",
                &["relay", &relay.name, "tls"],
                &format!(
                    "relay.{}.tls is none: {what} to {} unencrypted",
                    relay.name, relay.endpoint.host
                ),
                "Set it to starttls or implicit, unless the network in between is your own.",
            );
        }
    }

    /// Ports that speak TLS in another way than is set: a client that waits for the other side's first word waits long.
    fn of_ports(&mut self, settings: &Settings) {
        for relay in &settings.sending.relays {
            let (name, port) = (relay.name.as_str(), relay.endpoint.port);
            let key = |key| ["relay", name, key].map(str::to_owned);
            // Where it stands; of the two, one may be left to its default.
            let at = if self.values.set.contains_key(&key("tls")[..]) {
                "tls"
            } else {
                "port"
            };
            let (tls, is, help) = match (port, relay.endpoint.tls) {
                (465 | 2465, Tls::Starttls) => {
                    ("starttls", "speaks TLS from the first byte", IMPLICIT)
                }
                (465 | 2465, Tls::None) => ("none", "speaks TLS from the first byte", IMPLICIT),
                (25 | 587 | 2525 | 2587, Tls::Implicit) => {
                    ("implicit", "begins in clear text", STARTTLS)
                }
                _ => continue,
            };
            self.say(
                "relay-port",
                &["relay", name, at],
                &format!("relay.{name}: tls is {tls}, but port {port} usually {is}"),
                help,
            );
        }
    }

    /// Names that are reserved for examples (RFC 2606): nothing is behind them.
    fn of_placeholders(&mut self, settings: &Settings) {
        let mut found: Vec<([&str; 3], String)> = Vec::new();
        if let Some(url) = &settings.public_url
            && let Ok(url) = url::Url::parse(url)
            && url.host_str().is_some_and(is_example)
        {
            found.push((
                ["web", "public_url", ""],
                url.host_str().unwrap_or_default().into(),
            ));
        }
        for relay in &settings.sending.relays {
            if is_example(&relay.endpoint.host) {
                found.push((["relay", &relay.name, "host"], relay.endpoint.host.clone()));
            }
        }
        for list in &settings.lists {
            let reply_to = list.reply_to.as_ref().map(|reply_to| &reply_to.address);
            let addresses = [
                ("from", Some(&list.from.address)),
                ("reply_to", reply_to),
                ("bounce_address", list.bounce_address.as_ref()),
                (
                    "unsubscribe_mailto",
                    Some(&list.unsubscribe_mailto).filter(|to| **to != list.from.address),
                ),
            ];
            for (name, address) in addresses {
                if let Some(address) = address.filter(|address| is_example(address.domain())) {
                    found.push((["list", &list.key, name], address.to_string()));
                }
            }
        }
        for (path, value) in found {
            let path: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
            let message = format!("{}: {value} is a placeholder", path.join("."));
            self.say("placeholder", &path, &message, "Set it to your own.");
        }
    }

    /// Words in braces that are not placeholders.
    fn of_tags(&mut self, settings: &Settings) {
        for list in &settings.lists {
            let Utm {
                source,
                medium,
                campaign,
                ..
            } = &list.utm;
            for (name, value) in [
                ("source", source),
                ("medium", medium),
                ("campaign", campaign),
            ] {
                let Some(word) = unknown_fact(value) else {
                    continue;
                };
                self.say(
                    "utm-fact",
                    &["list", &list.key, "utm", name],
                    &format!(
                        "list.{}.utm.{name}: {word} is not a placeholder and stays as it is",
                        list.key
                    ),
                    &format!("The placeholders are {}.", Utm::FACTS.join(", ")),
                );
            }
        }
    }
}

/// What to set for a port that speaks TLS from the first byte.
const IMPLICIT: &str = "Set tls = \"implicit\", or another port for STARTTLS, such as 587.";
/// What to set for a port that begins in clear text.
const STARTTLS: &str = "Set tls = \"starttls\", or another port for implicit TLS, such as 465.";

/// Whether a name is reserved for examples (RFC 2606, sections 2 and 3), or for names that don't exist.
fn is_example(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_below = |parent: &str| {
        name.strip_suffix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    [
        "example.com",
        "example.org",
        "example.net",
        "example",
        "invalid",
    ]
    .into_iter()
    .any(is_below)
}

/// The first `{…}` of a text that is no fact.
fn unknown_fact(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        let end = rest.find('}')? + 1;
        if !Utm::FACTS.contains(&&rest[..end]) {
            return Some(&rest[..end]);
        }
        rest = &rest[end..];
    }
    None
}

/// Whether an address leads back to this machine.
pub(crate) fn is_loopback(url: &str) -> bool {
    match url::Url::parse(url).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
