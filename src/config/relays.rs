//! `[relay.NAME]`: the SMTP servers that take the mails, with their logins.

use std::path::Path;
use std::time::Duration;

use super::parse;
use super::taker::{PER_MINUTE_MAX, Taker};
use super::values::Origin;
use crate::delivery::Relay;
use crate::files;
use crate::model::Severity;
use crate::pace::warmup::Plan as WarmUp;
use crate::smtp::{Endpoint, Login, Pipelining, Timeouts, Tls};

/// What is wrong was noted.
struct Noted;

impl Taker<'_> {
    /// The relay of a name, with its settings.
    pub(super) fn relay(&mut self, name: &str, timeouts: &Timeouts) -> Relay {
        let at = |key| ["relay", name, key];
        let password = self.password(name);
        let username = self.text(&at("username"));
        let is_wrong = password.is_err();
        let password = password.unwrap_or_default();
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
                pipelining: self.pipelining(&at("pipelining")),
                messages_per_connection: self.number(&at("messages_per_connection"), 1, 1_000_000)
                    as u32,
                timeouts: *timeouts,
            },
            connections: self.number(&at("connections"), 1, 1000) as usize,
            messages_per_minute: self.number(&at("messages_per_minute"), 0, PER_MINUTE_MAX) as u32,
            weight: self.number(&at("weight"), 0, 1000) as u32,
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

    /// `password`, or the content of `password_file` without the line break at its end; an error: both are set or the
    /// file can't be read, which is noted.
    fn password(&mut self, name: &str) -> Result<Option<String>, Noted> {
        let (direct, in_file) = (
            ["relay", name, "password"],
            ["relay", name, "password_file"],
        );
        let password = self.text(&direct);
        let Some(file) = self.path(&in_file) else {
            return Ok(password);
        };
        // The environment wins over the file of settings, also between these two.
        match (password, self.origin(&direct)) {
            (Some(password), Origin::Environment(_)) => return Ok(Some(password)),
            (Some(_), _) if !matches!(self.origin(&in_file), Origin::Environment(_)) => {
                let message = format!("relay.{name}.password and password_file are both set");
                self.wrong(&direct, message, "Remove one of them.");
                return Err(Noted);
            }
            _ => {}
        }
        let text = files::read_of_operator(&file, files::PASSWORD_MAX_BYTES);
        match text.and_then(files::text) {
            Ok(text) => {
                self.warn_when_others_can_read(&in_file, &file);
                Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
            }
            Err(e) => {
                let message = format!(
                    "relay.{name}.password_file: {} can't be read: {}",
                    file.display(),
                    crate::format::io(&e)
                );
                self.wrong(
                    &in_file,
                    message,
                    "Write the password into that file, with mode 0600.",
                );
                Err(Noted)
            }
        }
    }

    fn warn_when_others_can_read(&mut self, path: &[&str], file: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let others = std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0);
        if others {
            let message = format!("other users can read {}", file.display());
            let help = format!("Run chmod 600 {}.", file.display());
            self.note(Severity::Warning, "password-readable", path, message, &help);
        }
    }
}
