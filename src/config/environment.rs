//! The overlay of the environment: `LETTERPRESS__WEB__LISTEN=…` takes the place of `[web] listen`.

use crate::format::nearest;
use crate::model::{Finding, Severity};

use super::keys::{self, Kind};
use super::values::{Origin, Value, Values};

const PREFIX: &str = "LETTERPRESS__";
/// Where a system says who its user is.
const USER: [&str; 2] = ["LOGNAME", "USER"];

/// What the user of this process is called, as the environment has it, which everybody can set: good enough to be
/// told, and for nothing else.
pub(crate) fn user() -> Option<String> {
    USER.into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|text| is_a_name(text))
}

/// Whether a text can stand for somebody within a sentence.
fn is_a_name(text: &str) -> bool {
    let may = |c: char| c.is_alphanumeric() || "._-+@$\\".contains(c);
    (1..=64).contains(&text.chars().count()) && text.chars().all(may)
}

/// Lays variables over the values; an unknown one or a wrong number becomes a finding.
pub(super) fn overlay(
    values: &mut Values,
    variables: impl IntoIterator<Item = (String, String)>,
    findings: &mut Vec<Finding>,
) {
    let mut ours: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    ours.sort();
    for (name, text) in ours {
        let path = path_of(values, &name);
        let origin = Origin::Environment(name.clone());
        let Some(key) = keys::find(&path) else {
            findings.push(unknown(values, &name, &path, &origin));
            continue;
        };
        match read(key.kind, &text) {
            Some(value) => {
                if keys::NAMED.contains(&path[0].as_str()) {
                    values
                        .sections
                        .entry(path[..2].to_vec())
                        .or_insert_with(|| origin.clone());
                }
                values.set.insert(path, (value, origin));
            }
            None => findings.push(values.finding(
                Severity::Error,
                "type",
                &origin,
                format!("“{text}” is not a number"),
                "Write a whole number.".into(),
            )),
        }
    }
}

/// The value of a text in the environment's form, which defaults have too.
pub(super) fn read(kind: Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Text | Kind::Secret => Value::Text(text.to_owned()),
        Kind::Decimal => Value::Decimal(
            text.trim()
                .parse::<f64>()
                .ok()
                .map(|_| text.trim().to_owned())?,
        ),
        Kind::Number => Value::Number(text.trim().parse().ok()?),
        Kind::Texts => Value::Texts(
            text.split(',')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
    })
}

/// The path that a variable means. Names of relays, lists and providers are found without regard to case, `_` for
/// `-` and for the dots of a domain.
fn path_of(values: &Values, name: &str) -> Vec<String> {
    let mut path: Vec<String> = name[PREFIX.len()..]
        .split("__")
        .map(str::to_lowercase)
        .collect();
    if let [section, named, ..] = &mut path[..]
        && keys::NAMED.contains(&section.as_str())
    {
        let same = |other: &String| other.to_lowercase().replace(['-', '.'], "_") == *named;
        if let Some(known) = values.names(section).into_iter().find(same) {
            *named = known;
        } else if section == "domain" {
            // A domain's name has no underscore of its own.
            *named = named.replace('_', ".");
        }
    }
    if let [list, key, headers, name] = &mut path[..]
        && (list.as_str(), headers.as_str()) == ("list", "headers")
    {
        *name = header_name(values, key, name);
    }
    path
}

/// The header that a variable means: one of the file's, else the name with hyphens, as headers have them.
fn header_name(values: &Values, list: &str, name: &str) -> String {
    let known = values.further_headers(list).map(|path| &path[3]);
    let same = |other: &&String| other.to_lowercase().replace('-', "_") == name;
    if let Some(known) = known.into_iter().find(same) {
        return known.clone();
    }
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let words = name
        .split('_')
        .filter(|word| word.is_ascii() && !word.is_empty());
    words.map(capital).collect::<Vec<_>>().join("-")
}

/// Variables that look like settings and are not, since they have single underscores: `LETTERPRESS_WEB_LISTEN`.
pub(super) fn misspelt(
    values: &Values,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = variables
        .into_iter()
        .filter(|(name, _)| !name.starts_with(PREFIX))
        .filter_map(|(name, _)| {
            let meant = meant(&name)?;
            let help = match meant {
                Meant::Setting(right) => {
                    format!("Parts are separated by two underscores: write {right}.")
                }
                Meant::Section => format!(
                    "Parts are separated by two underscores, as in {PREFIX}WEB__LISTEN; `letterpress config show` lists the settings."
                ),
            };
            let message = format!("{name} is not used: it names no setting");
            let origin = Origin::Environment(name);
            Some(values.finding(Severity::Warning, "variable-misspelt", &origin, message, help))
        })
        .collect();
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}

/// What a variable with single underscores means.
enum Meant {
    /// A setting; the variable's right name.
    Setting(String),
    /// Something within a section that there is.
    Section,
}

/// What a name such as `LETTERPRESS_RELAY_MAIN_PASSWORD` means; `None`: nothing of ours.
fn meant(name: &str) -> Option<Meant> {
    let name = name.to_uppercase();
    let rest = name.strip_prefix("LETTERPRESS_")?.trim_start_matches('_');
    let flat = rest.replace("__", "_");
    let right = |key: &keys::Key| {
        let parts: Vec<String> = key.path.split('.').map(str::to_uppercase).collect();
        let Some((before, after)) = key.path.split_once(".*.") else {
            return (parts.join("_") == flat).then(|| parts.join("__"));
        };
        let (before, after) = (
            before.to_uppercase(),
            after.to_uppercase().replace('.', "_"),
        );
        let named = flat
            .strip_prefix(&format!("{before}_"))?
            .strip_suffix(&format!("_{after}"))?;
        (!named.is_empty() && !after.contains('*'))
            .then(|| [&before, named, &parts[2..].join("__")].join("__"))
    };
    // The longest key wins: PASSWORD_FILE, not FILE of a relay called MAIN_PASSWORD.
    let fits = keys::KEYS
        .iter()
        .filter_map(|key| Some((key.path.len(), right(key)?)));
    if let Some((_, right)) = fits.max_by_key(|(length, _)| *length) {
        return Some(Meant::Setting(format!("{PREFIX}{right}")));
    }
    let sections = keys::children(&[]);
    let section = flat.split('_').next().unwrap_or_default();
    sections
        .iter()
        .any(|known| known.eq_ignore_ascii_case(section) && flat.len() > known.len())
        .then_some(Meant::Section)
}

fn unknown(values: &Values, name: &str, path: &[String], origin: &Origin) -> Finding {
    let named = |key: &keys::Key| {
        let mut parts: Vec<String> = key.path.split('.').map(str::to_uppercase).collect();
        if let (Some(star), Some(real)) = (parts.get_mut(1), path.get(1))
            && star == "*"
        {
            *star = real.to_uppercase().replace(['-', '.'], "_");
        }
        format!("{PREFIX}{}", parts.join("__"))
    };
    let candidates: Vec<String> = keys::KEYS.iter().map(named).collect();
    let near = match meant(name) {
        Some(Meant::Setting(right)) => Some(right),
        _ => nearest(name, candidates.iter().map(String::as_str)).map(str::to_owned),
    };
    let help = match near {
        Some(near) => format!("Did you mean {near}?"),
        None => "Remove it, or run `letterpress config show` to see the settings.".into(),
    };
    values.finding(
        Severity::Error,
        "unknown-key",
        origin,
        format!("there is no setting {name}"),
        help,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values;

    fn overlaid(text: &str, variables: &[(&str, &str)]) -> (Values, Vec<Finding>) {
        let (mut values, mut findings) = values::read(text, "l.toml");
        let variables = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        overlay(&mut values, variables, &mut findings);
        (values, findings)
    }

    #[test]
    fn a_user_has_a_name_that_can_stand_in_a_sentence() {
        assert!(
            ["anna", "Åsa.K", "DOMAIN\\anna", "svc-mail$"]
                .into_iter()
                .all(is_a_name)
        );
        let long = "a".repeat(65);
        assert!(
            !["", "an na", "“anna”", "a\nb", &long]
                .into_iter()
                .any(is_a_name)
        );
    }

    #[test]
    fn a_variable_takes_the_place_of_a_key_and_says_so() {
        let (values, findings) = overlaid(
            "[relay.Main-One]\nport = 1\n",
            &[
                ("LETTERPRESS__RELAY__MAIN_ONE__PORT", "25"),
                ("LETTERPRESS_CONFIG", "x"),
                ("PATH", "/bin"),
            ],
        );
        assert!(findings.is_empty());
        let path: Vec<String> = ["relay", "Main-One", "port"].map(String::from).into();
        let origin = Origin::Environment("LETTERPRESS__RELAY__MAIN_ONE__PORT".into());
        assert_eq!(values.set[&path], (Value::Number(25), origin));
    }

    #[test]
    fn a_variable_with_single_underscores_is_told_by_its_right_name() {
        let help = |name: &str| {
            let found = misspelt(&Values::default(), [(name.to_owned(), "x".to_owned())]);
            found.first().map(|finding| finding.help.clone())
        };
        for (name, right) in [
            ("LETTERPRESS_WEB_LISTEN", "LETTERPRESS__WEB__LISTEN"),
            (
                "LETTERPRESS_WEB__PUBLIC_URL",
                "LETTERPRESS__WEB__PUBLIC_URL",
            ),
            ("letterpress_store_path", "LETTERPRESS__STORE__PATH"),
            (
                "LETTERPRESS_RELAY_MAIN_PASSWORD",
                "LETTERPRESS__RELAY__MAIN__PASSWORD",
            ),
            (
                "LETTERPRESS_RELAY_MAIN_PASSWORD_FILE",
                "LETTERPRESS__RELAY__MAIN__PASSWORD_FILE",
            ),
            (
                "LETTERPRESS_RELAY_BIG_ONE_HOST",
                "LETTERPRESS__RELAY__BIG_ONE__HOST",
            ),
            (
                "LETTERPRESS_SENDING_TIMEOUT_DOT",
                "LETTERPRESS__SENDING__TIMEOUT__DOT",
            ),
            (
                "LETTERPRESS_LIST_WEEKLY_UTM_SOURCE",
                "LETTERPRESS__LIST__WEEKLY__UTM__SOURCE",
            ),
        ] {
            let help = help(name).unwrap_or_default();
            assert!(help.ends_with(&format!("write {right}.")), "{name}: {help}");
        }
        assert!(help("LETTERPRESS_RELAY_PASSWORD").is_some(), "of no relay");
        for other in [
            "LETTERPRESS_CONFIG",
            "LETTERPRESS_BIN",
            "LETTERPRESS_WEB",
            "PATH",
        ] {
            assert_eq!(help(other), None, "{other}");
        }
        let (_, findings) = overlaid("", &[("LETTERPRESS__RELAY_MAIN_PASSWORD", "x")]);
        assert_eq!(
            findings[0].help,
            "Did you mean LETTERPRESS__RELAY__MAIN__PASSWORD?"
        );
    }

    #[test]
    fn a_header_is_named_with_underscores() {
        let (values, findings) = overlaid(
            "[list.w.headers]\nX-SES-Tags = \"a\"\n",
            &[
                ("LETTERPRESS__LIST__W__HEADERS__X_SES_TAGS", "b"),
                ("LETTERPRESS__LIST__W__HEADERS__X_PM_MESSAGE_STREAM", "c"),
            ],
        );
        assert!(findings.is_empty(), "{findings:?}");
        let names: Vec<&str> = values
            .further_headers("w")
            .map(|path| path[3].as_str())
            .collect();
        assert_eq!(names, ["X-Pm-Message-Stream", "X-SES-Tags"]);
    }

    #[test]
    fn a_provider_is_named_without_its_dots() {
        let name = |n: &str| format!("LETTERPRESS__DOMAIN__{n}__CONNECTIONS");
        let (values, findings) = overlaid(
            "[domain.\"web.de\"]\nconnections = 1\n",
            &[(&name("WEB_DE"), "2"), (&name("GMAIL_COM"), "3")],
        );
        assert!(findings.is_empty(), "{findings:?}");
        let number = |domain: &str| {
            values.set[&["domain", domain, "connections"].map(String::from)[..]]
                .0
                .clone()
        };
        assert_eq!(
            (number("web.de"), number("gmail.com")),
            (Value::Number(2), Value::Number(3))
        );
        assert_eq!(values.names("domain"), ["gmail.com", "web.de"]);
    }

    #[test]
    fn an_unknown_variable_is_an_error_with_its_neighbour() {
        let (_, findings) = overlaid(
            "",
            &[
                ("LETTERPRESS__WEB__LISTEM", "x"),
                ("LETTERPRESS__SENDING__BATCH_SIZE", "many"),
            ],
        );
        assert_eq!(findings[0].message, "“many” is not a number");
        assert_eq!(findings[1].help, "Did you mean LETTERPRESS__WEB__LISTEN?");
    }
}
