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
    path
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
    let help = match nearest(name, candidates.iter().map(String::as_str)) {
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
