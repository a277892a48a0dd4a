//! `[relay.NAME]`: the SMTP servers that take the mails, with their logins.

use std::path::Path;
use std::time::Duration;

use super::parse;
use super::settings::Settings;
use super::taker::{PER_MINUTE_MAX, Taker};
use super::values::{Origin, Values};
use crate::delivery::{Algorithm, DkimPolicy, Relay};
use crate::model::{Finding, Severity};
use crate::pace::warmup::Plan as WarmUp;
use crate::smtp::{Endpoint, Login, Password, Pipelining, Timeouts, Tls, check_certificates};

/// What is wrong was noted.
struct Noted;

impl Taker<'_> {
    /// The relay of a name, with its settings.
    pub(super) fn relay(&mut self, name: &str, timeouts: &Timeouts) -> Relay {
        let at = |key| ["relay", name, key];
        let password = self.password(name);
        let username = self.text(&at("username"));
        let is_wrong = password.is_err();
        let password = password.unwrap_or(None);
        if username.is_some() != password.is_some() && !is_wrong {
            let (has, lacks) = if username.is_some() {
                ("username", "password")
            } else {
                ("password", "username")
            };
            self.wrong(
                &at(has),
                format!("relay.{name} has a {has} but no {lacks}"),
                "Set username with password or password_file, or neither.",
            );
        }
        let tls = self
            .parsed(&at("tls"), |t| {
                parse::choice(t, &["starttls", "implicit", "none"])
            })
            .map_or(Tls::Starttls, |word| match word {
                "implicit" => Tls::Implicit,
                "none" => Tls::None,
                _ => Tls::Starttls,
            });
        Relay {
            name: name.to_owned(),
            endpoint: Endpoint {
                host: self.parsed(&at("host"), parse::host).unwrap_or_default(),
                port: u16::try_from(self.number(&at("port"), 1, 65_535)).unwrap_or_default(),
                tls,
                ca_file: self.path(&at("ca_file")),
                login: username
                    .zip(password)
                    .map(|(username, password)| Login { username, password }),
                ehlo_name: self.parsed(&at("ehlo_name"), parse::ehlo_name),
                pipelining: self.pipelining(&at("pipelining")),
                messages_per_connection: self.number(&at("messages_per_connection"), 1, 1_000_000)
                    as u32,
                timeouts: *timeouts,
            },
            connections: self.number(&at("connections"), 1, 1000) as usize,
            messages_per_minute: self.number(&at("messages_per_minute"), 0, PER_MINUTE_MAX) as u32,
            weight: self.number(&at("weight"), 0, 1000) as u32,
            dkim: self.dkim(name),
            warm_up: self.warm_up(name),
        }
    }

    fn warm_up(&mut self, name: &str) -> Option<WarmUp> {
        let per_day = self.number(&["relay", name, "warm_up_per_day"], 0, PER_MINUTE_MAX) as u32;
        let growth = self.decimal(&["relay", name, "warm_up_growth"], 1.0, 10.0);
        (per_day > 0).then_some(WarmUp { per_day, growth })
    }

    /// How long each step with a relay may take; all relays share it.
    pub(super) fn timeouts(&mut self) -> Timeouts {
        let mut of = |key| self.duration(&["sending", "timeout", key], Duration::from_secs(1));
        Timeouts {
            connect: of("connect"),
            greeting: of("greeting"),
            command: of("command"),
            data: of("data"),
            block: of("block"),
            dot: of("dot"),
        }
    }

    fn pipelining(&mut self, at: &[&str]) -> Pipelining {
        match self.parsed(at, |t| parse::choice(t, &["off", "standard", "ahead"])) {
            Some("off") => Pipelining::Off,
            Some("ahead") => Pipelining::Ahead,
            _ => Pipelining::Standard,
        }
    }

    /// `password`, or `password_file`, which is read at each login; an error: both are set, which is noted.
    fn password(&mut self, name: &str) -> Result<Option<Password>, Noted> {
        let (direct, in_file) = (
            ["relay", name, "password"],
            ["relay", name, "password_file"],
        );
        let password = self.text(&direct).map(Password::Text);
        let Some(file) = self.path(&in_file) else {
            return Ok(password);
        };
        // The environment wins over the file of settings, also between these two.
        match (password, self.origin(&direct)) {
            (Some(password), Origin::Environment(_)) => Ok(Some(password)),
            (Some(_), _) if !matches!(self.origin(&in_file), Origin::Environment(_)) => {
                let message = format!("relay.{name}.password and password_file are both set");
                self.wrong(&direct, message, "Remove one of them.");
                Err(Noted)
            }
            _ => Ok(Some(Password::File(file))),
        }
    }

    fn dkim(&mut self, name: &str) -> DkimPolicy {
        use Algorithm::{Ed25519, Rsa};
        let words = ["both", "rsa", "ed25519", "none"];
        let word = self.parsed(&["relay", name, "dkim"], |t| parse::choice(t, &words));
        DkimPolicy {
            algorithms: match word {
                Some("rsa") => &[Rsa],
                Some("ed25519") => &[Ed25519],
                Some("none") => &[],
                _ => &[Rsa, Ed25519],
            },
            headers_not: self.each(&["relay", name, "dkim_headers_not"], parse::unsigned_header),
        }
    }
}

/// What is wrong with the files that a relay's connections need: those with passwords and certificates. Only commands
/// that connect need them.
pub(super) fn files(settings: &Settings, values: &Values) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |severity, code, path: [&str; 3], message: String, help: String| {
        let path = path.map(str::to_owned);
        let set = values.set.get(&path[..]);
        let origin = set.map_or(&Origin::Default, |(_, origin)| origin);
        findings.push(values.finding(severity, code, origin, message, help));
    };
    for relay in &settings.sending.relays {
        let (name, endpoint) = (relay.name.as_str(), &relay.endpoint);
        if let Some(login) = &endpoint.login
            && let Password::File(file) = &login.password
        {
            let at = ["relay", name, "password_file"];
            let shown = file.display();
            match login.password.read() {
                Ok(_) if others_can_read(file) => note(
                    Severity::Warning,
                    "password-readable",
                    at,
                    format!("other users can read {shown}"),
                    format!("Run chmod 600 {shown}."),
                ),
                Ok(_) => {}
                Err(error) => note(
                    Severity::Error,
                    "value",
                    at,
                    format!(
                        "relay.{name}.password_file: {shown} can't be read: {}",
                        crate::format::io(&error)
                    ),
                    "Write the password into that file, with mode 0600.".to_owned(),
                ),
            }
        }
        if let Some(file) = &endpoint.ca_file
            && let Err(why) = check_certificates(file)
        {
            note(
                Severity::Error,
                "value",
                ["relay", name, "ca_file"],
                format!("relay.{name}.ca_file: {} can't be used: {why}", file.display()),
                "Name a PEM file with root certificates, or remove the setting: the system's are used anyway.".to_owned(),
            );
        }
    }
    findings
}

fn others_can_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}
