//! The settings: the only reader of `letterpress.toml` and of the environment.
//!
//! It hands out plain structs and explains what is wrong, all at once, with file, line and the nearest name.
//! What the values mean is left to the rooms they are for. Known to `cli` and `app` alone.

mod build;
mod domains;
mod environment;
pub mod keys;
mod parse;
mod show;
mod values;

use std::path::{Path, PathBuf};

use crate::delivery;
use crate::model::network::Cidr;
use crate::model::{Finding, List, Severity};

pub use environment::user;
pub use show::{Shown, show};

/// The name that is looked for, here and upwards.
pub const FILE: &str = "letterpress.toml";

/// A letter's first settings, with comments; what `init` writes.
pub const SAMPLE: &str = include_str!("../../deploy/letterpress.toml");

/// What holds where a command needs no settings and there are none.
const WITHOUT_A_FILE: &str = "[list.newsletter]\nname = \"Newsletter\"\nfrom = \"newsletter@example.org\"\n";

/// Whether a command can do without a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// There must be one.
    File,
    /// Without one, the defaults serve.
    Nothing,
}

/// Everything that was set, checked and with its defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file it came from; `None` where the defaults serve.
    pub file: Option<PathBuf>,
    /// The folder that paths in the file are relative to.
    pub folder: PathBuf,
    /// `[web] listen`, host and port.
    pub listen: String,
    /// `[web] public_url`, without a slash at its end.
    pub public_url: Option<String>,
    /// `[web] trusted_proxies`.
    pub trusted_proxies: Vec<Cidr>,
    /// `[store] path`.
    pub database: PathBuf,
    pub log: Log,
    /// `[relay.NAME]`, in the order of their names, and `[sending]`.
    pub sending: delivery::Settings,
    /// In the order of their keys.
    pub lists: Vec<List>,
}

/// `[log]`
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
    /// `auto`, `text`, `json` or `journald`.
    pub format: &'static str,
}

/// What is wrong with the settings.
#[derive(Debug)]
pub enum ConfigError {
    /// There is no file where one is needed, or it can't be read; says where it was looked for.
    Missing(String),
    /// The file is there and can't be read; says why.
    Unreadable { file: String, why: String },
    /// At least one finding is an error.
    Wrong(Vec<Finding>),
}

/// Settings as they were found, right or wrong.
#[derive(Debug)]
pub struct Examined {
    pub settings: Settings,
    /// Errors first, each in the order of the file.
    pub findings: Vec<Finding>,
    values: values::Values,
}

impl Examined {
    /// A finding about a list's setting, at the place that its value came from.
    ///
    /// For what only the rooms that a value is for can tell, such as whether there is such a theme.
    pub fn about_list(&self, list: &List, name: &str, message: &str, help: &str) -> Finding {
        let path = ["list", list.key.as_str(), name].map(str::to_owned);
        let origin = self.values.set.get(&path[..]).map_or(&values::Origin::Default, |(_, origin)| origin);
        let message = format!("{}: {message}", path.join("."));
        self.values.finding(Severity::Error, "value", origin, message, help.to_owned())
    }
}

/// Finds and reads the settings: `given` (`--config`, `LETTERPRESS_CONFIG`), or `letterpress.toml` in the
/// current folder and upwards.
///
/// # Errors
/// [`ConfigError::Missing`], and [`ConfigError::Wrong`] where a finding is an error.
pub fn load(given: Option<&Path>, need: Need) -> Result<Settings, ConfigError> {
    let examined = examine(given, need)?;
    if examined.findings.iter().any(|f| f.severity == Severity::Error) {
        return Err(ConfigError::Wrong(examined.findings));
    }
    Ok(examined.settings)
}

/// The settings that hold where there is no file.
pub fn defaults() -> Settings {
    read(WITHOUT_A_FILE, "", Path::new(""), []).settings
}

/// The settings of a text in the folder `/letter`, for tests.
#[cfg(test)]
pub fn of_text(text: &str) -> Settings {
    let examined = read(text, FILE, Path::new("/letter"), []);
    assert!(!examined.findings.iter().any(|f| f.severity == Severity::Error), "{:?}", examined.findings);
    examined.settings
}

/// As [`load`], but hands out what is wrong, too.
///
/// # Errors
/// [`ConfigError::Missing`], [`ConfigError::Unreadable`]
pub fn examine(given: Option<&Path>, need: Need) -> Result<Examined, ConfigError> {
    let file = match given {
        Some(file) => Some(file.to_owned()),
        None => find_upwards()?,
    };
    let Some(file) = file else {
        if need == Need::File {
            let place = std::env::current_dir().map_or_else(|_| "here".into(), |p| p.display().to_string());
            return Err(ConfigError::Missing(format!("there is no {FILE} in {place} or above")));
        }
        return Ok(read(WITHOUT_A_FILE, "", Path::new(""), std::env::vars()));
    };
    let text = std::fs::read_to_string(&file).map_err(|e| {
        let (file, why) = (file.display().to_string(), crate::words::io(&e));
        match e.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing(format!("there is no file {file}")),
            _ => ConfigError::Unreadable { file, why },
        }
    })?;
    // Empty for a file in the current folder, so that paths stay as short as people know them.
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut examined = read(&text, &file.display().to_string(), folder, std::env::vars());
    examined.settings.file = Some(file);
    Ok(examined)
}

/// Reads settings from a text, with variables laid over it.
fn read(
    text: &str,
    file: &str,
    folder: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Examined {
    let (mut values, mut findings) = values::read(text, file);
    // Of a file that is no TOML, nothing further can be said.
    let readable = !findings.iter().any(|f| f.code == "toml");
    environment::overlay(&mut values, variables, &mut findings);
    let mut more = Vec::new();
    let settings = build::build(&values, folder, &mut more);
    if readable {
        findings.extend(more);
        findings.extend(advice(&settings, &values));
    }
    findings.sort_by_key(|f| (f.severity, f.line));
    Examined { settings, findings, values }
}

/// What is no error, but worth a word.
fn advice(settings: &Settings, values: &values::Values) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut say = |severity, code, message: &str, help: &str| {
        out.push(values.finding(severity, code, &values::Origin::Default, message.into(), help.into()));
    };
    let is_wrong = values.set.contains_key(&["web", "public_url"].map(str::to_owned)[..]);
    match settings.public_url.as_deref() {
        // What stands there could not be taken, and that is said already.
        None if is_wrong => {}
        None => say(
            Severity::Warning,
            "public-url-unset",
            "web.public_url is not set, so nothing can be sent yet",
            "Set it to the address under which readers reach this daemon: every link in a mail begins with it.",
        ),
        Some(url) if url.starts_with("http://") && !is_loopback(url) => say(
            Severity::Warning,
            "public-url-clear",
            "web.public_url begins with http://",
            "Mail services take the one-click unsubscribe of RFC 8058 over https alone: put a proxy with TLS before the daemon.",
        ),
        Some(_) => {}
    }
    if settings.lists.is_empty() {
        say(
            Severity::Warning,
            "no-list",
            "the settings name no list",
            "Add a section such as [list.weekly] with name and from.",
        );
    }
    if settings.sending.relays.is_empty() {
        say(
            Severity::Warning,
            "no-relay",
            "the settings name no relay",
            "Add a section such as [relay.main] with its host.",
        );
    }
    out
}

/// A text as the file takes it, between quotation marks.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Whether an address leads back to this machine.
pub fn is_loopback(url: &str) -> bool {
    match url::Url::parse(url).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// `letterpress.toml` here or above, named as short as can be.
fn find_upwards() -> Result<Option<PathBuf>, ConfigError> {
    if Path::new(FILE).is_file() {
        return Ok(Some(PathBuf::from(FILE)));
    }
    let here = std::env::current_dir().map_err(|e| {
        ConfigError::Missing(format!("the current folder can't be read: {}", crate::words::io(&e)))
    })?;
    Ok(here.ancestors().skip(1).map(|folder| folder.join(FILE)).find(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const GOOD: &str = "[web]\npublic_url = \"https://l.example.org/\"\n[relay.main]\nhost = \"smtp.example.org\"\n\
                        [list.weekly]\nname = \"The Weekly Proof\"\nfrom = \"Editor <ed@example.org>\"\n";

    fn examined(text: &str) -> Examined {
        read(text, "l.toml", Path::new("/letter"), [])
    }

    fn errors(text: &str) -> Vec<String> {
        let findings = examined(text).findings;
        findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .map(|f| format!("{} {}", f.place(), f.message))
            .collect()
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let Examined { settings, findings, .. } = examined(GOOD);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(settings.listen, "127.0.0.1:8080");
        assert_eq!(settings.public_url.as_deref(), Some("https://l.example.org"));
        assert_eq!(settings.database, Path::new("/letter/letterpress.db"));
        assert_eq!(
            (settings.sending.relays[0].port, settings.sending.relays[0].tls),
            (587, delivery::Tls::Starttls)
        );
        assert_eq!(settings.sending.hold_when_late, Duration::from_secs(6 * 3600));
        let list = &settings.lists[0];
        assert_eq!(list.promise, "The Weekly Proof");
        assert_eq!(list.unsubscribe_mailto.as_str(), "ed@example.org");
        assert_eq!(list.issues, Path::new("/letter/issues"));
        assert_eq!((list.utm.source.as_str(), list.utm.campaign.as_str()), ("newsletter", "{list}"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let text = "[web]\nlisten = \"here\"\n[log]\nlevel = \"loud\"\n[relay.main]\nport = 0\ntls = \"startls\"\n\
                    [sending]\nfirst_retry = \"soon\"\n[list.w]\nname = \"W\"\nfrom = \"nobody\"\nzone = \"Berlin\"\nschedule = \"weekly\"\n";
        let found = errors(text);
        for wanted in [
            "l.toml:2:1 web.listen: “here” is no host and port",
            "l.toml:4:1 log.level: “loud” is none of",
            "l.toml:5:8 relay.main.host is not set",
            "l.toml:6:1 relay.main.port can't be 0",
            "l.toml:7:1 relay.main.tls: “startls” is none of starttls, implicit, none; did you mean starttls?",
            "l.toml:9:1 sending.first_retry: “soon” is no duration",
            "l.toml:12:1 list.w.from: “nobody”: this address has no @",
            "l.toml:13:1 list.w.zone: “Berlin” is no time zone",
            "l.toml:14:1 list.w.schedule: “weekly” has 1 fields",
        ] {
            assert!(found.iter().any(|f| f.starts_with(wanted)), "{wanted} is not among {found:#?}");
        }
        assert_eq!(found.len(), 9, "{found:#?}");
        let help = |line| examined(text).findings.iter().find(|f| f.line == Some(line)).unwrap().help.clone();
        assert_eq!(help(9), "The least wait after a temporary refusal; the default is 5m.");
        assert_eq!(help(4), "Error, warn, info, debug or trace; the default is info.");
    }

    #[test]
    fn providers_hours_and_shares_are_read_and_their_errors_said_once() {
        let text = format!(
            "{GOOD}send_between = \"09:00-17:00\"\n[list.other]\nname = \"O\"\nfrom = \"o@example.org\"\n\
             [list.free]\nname = \"F\"\nfrom = \"f@example.org\"\nsend_between = \"always\"\n\
             [domain.\"Gmail.com\"]\nmessages_per_minute = 60\n[domain.acme]\nconnections = 2\ndomains = [\"acme.example\"]\n\
             [domain.default]\nmessages_per_connection = 9\n\
             [sending]\nwindow = \"08:00-20:00\"\nwindow_days = [\"mon\"]\npause_above_failed = 0\n"
        );
        let Examined { settings, findings, .. } = examined(&text);
        assert!(findings.is_empty(), "{findings:?}");
        let pacing = &settings.sending.pacing;
        let of = |domain: &str| pacing.domains.of(pacing.domains.providers.of(domain));
        assert_eq!(of("googlemail.com").messages_per_minute, 60);
        assert_eq!((of("acme.example").connections, of("x.example").messages_per_connection), (2, 9));
        assert!(pacing.windows.contains_key("other") && !pacing.windows.contains_key("free"));
        assert_ne!(pacing.windows["weekly"], pacing.windows["other"]);
        assert_eq!((pacing.pause_above.failed, pacing.pause_above.deferred), (0.0, 0.7));

        let found = errors(&format!(
            "{GOOD}[list.w]\nname = \"W\"\nfrom = \"w@example.org\"\n[domain.gmail]\nconnections = 1\n\
             [sending]\nwindow = \"8-20\"\nwindow_days = [\"someday\"]\npause_above_failed = 1.5\n"
        ));
        let wanted =
            ["[domain.gmail] names no domain", "“8-20”", "“someday”", "pause_above_failed can't be 1.5"];
        assert!(found.len() == 4 && wanted.iter().all(|w| found.iter().any(|f| f.contains(w))), "{found:#?}");
    }

    #[test]
    fn sections_that_contradict_each_other_are_named_where_they_stand() {
        let found = errors(&format!(
            "{GOOD}[domain.default]\ndomains = [\"x.example\"]\n[domain.\"gmail.com\"]\nconnections = 1\n\
             [domain.\"googlemail.com\"]\nconnections = 2\n"
        ));
        assert_eq!(
            found,
            [
                "l.toml:8:9 [domain.default] can't have domains: it holds for all that no section names",
                "l.toml:12:9 [domain.\"googlemail.com\"] and [domain.\"gmail.com\"] both hold for gmail.com",
            ]
        );
    }

    #[test]
    fn a_list_has_a_name() {
        for empty in ["", " "] {
            let found = errors(&GOOD.replace("The Weekly Proof", empty));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("l.toml:6:1 list.weekly.name: the name is empty"), "{found:?}");
        }
    }

    #[test]
    fn of_a_broken_file_only_the_broken_line_is_said() {
        let found = errors("[sending\nbatch_size = 1\n");
        assert!(found.len() == 1 && found[0].starts_with("l.toml:1:"), "{found:?}");
    }

    #[test]
    fn a_password_is_read_from_its_file_and_others_should_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "open sesame \r\n").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
        let text =
            format!("{GOOD}[relay.other]\nhost = \"h\"\nusername = \"u\"\npassword_file = \"secret\"\n");
        let Examined { settings, findings, .. } = read(&text, "l.toml", folder.path(), []);
        assert_eq!(settings.sending.relays[1].password.as_deref(), Some("open sesame "));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].code, findings[0].line), ("password-readable", Some(11)));

        let from_outside = [("LETTERPRESS__RELAY__OTHER__PASSWORD".to_owned(), "else".to_owned())];
        let Examined { settings, .. } = read(&text, "l.toml", folder.path(), from_outside);
        assert_eq!(settings.sending.relays[1].password.as_deref(), Some("else"));
    }

    #[test]
    fn a_login_needs_both_halves() {
        let half = GOOD.replace("[list", "username = \"u\"\n[list");
        assert_eq!(errors(&half), ["l.toml:5:1 relay.main has a username but no password"]);
        let gone = GOOD.replace("[list", "username = \"u\"\npassword_file = \"none\"\n[list");
        let found = errors(&gone);
        assert!(found.len() == 1 && found[0].contains("/letter/none can't be read"), "{found:?}");
    }

    #[test]
    fn the_sample_is_sound_and_holds_every_setting_with_its_default() {
        let findings = examined(SAMPLE).findings;
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["public-url-unset"]);

        // With every `# key = …` taken for a setting, all are known, and none is missing.
        let loud: String = SAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let (values, findings) = values::read(&loud, "l.toml");
        assert!(findings.is_empty(), "{findings:#?}");
        for key in keys::KEYS {
            let name = match key.path.split('.').next() {
                Some("relay") => "main",
                Some("domain") => "default",
                _ => "weekly",
            };
            let path: Vec<String> = key.path.replace('*', name).split('.').map(str::to_owned).collect();
            let Some((value, _)) = values.set.get(&path) else { panic!("{} is not in the sample", key.path) };
            // Facts that every letter has of its own can't show their default.
            if let keys::Fallback::Is(text) = key.fallback
                && !matches!(key.path, "list.*.zone")
            {
                assert_eq!(Some(value), environment::read(key.kind, text).as_ref(), "{}", key.path);
            }
        }
    }

    #[test]
    fn without_a_file_the_defaults_are_sound() {
        assert!(errors(WITHOUT_A_FILE).is_empty());
    }

    #[test]
    fn loopback_is_told_from_the_world() {
        for url in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/x"] {
            assert!(is_loopback(url), "{url}");
        }
        assert!(!is_loopback("https://letters.example.org") && !is_loopback("http://10.0.0.1"));
    }
}
