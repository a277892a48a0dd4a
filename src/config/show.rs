//! Where each value came from, for `config show`.

use serde::Serialize;

use super::keys::{FURTHER_HEADERS, Fallback, KEYS, Kind};
use super::load::Examined;
use super::values::{Origin, Value, quoted};

/// One setting as it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    /// Such as `relay.main.host`.
    pub key: String,
    /// As the file would have it; `None`: not set. A secret is never shown.
    pub value: Option<String>,
    /// `default`, `letterpress.toml:14` or the name of a variable.
    pub source: String,
    /// What it is for.
    pub about: &'static str,
    /// What it means that it is not set; `None`: it has a value.
    pub unset: Option<&'static str>,
}

impl Shown {
    /// The setting with its value as JSON has it, not as the file does.
    pub(crate) fn as_json(&self) -> serde_json::Value {
        let value = self.value.as_ref().map(|text| {
            let table: Option<toml::Table> = toml::from_str(&format!("value = {text}")).ok();
            // What is not TOML is what is shown in place of a secret.
            table.map_or_else(
                || serde_json::json!(text),
                |table| serde_json::json!(table["value"]),
            )
        });
        let about = match self.unset {
            Some(unset) => format!("{}; not set: {unset}", self.about),
            None => self.about.to_owned(),
        };
        serde_json::json!({ "key": self.key, "value": value, "source": self.source, "about": about })
    }
}

/// Every setting, with the names of relays and lists put in.
pub(crate) fn show(examined: &Examined) -> Vec<Shown> {
    let values = &examined.values;
    let mut out = Vec::new();
    let mut last_section = "";
    for key in KEYS {
        let parts: Vec<&str> = key.path.split('.').collect();
        if parts[1] != "*" {
            out.push(one(
                examined,
                key.path.split('.').map(str::to_owned).collect(),
            ));
        } else if parts[0] != last_section {
            // All keys of one relay, then all of the next.
            for name in values.names(parts[0]) {
                for key in KEYS
                    .iter()
                    .filter(|k| k.path.starts_with(&format!("{}.*.", parts[0])))
                {
                    if key.path == FURTHER_HEADERS {
                        out.extend(further_headers(examined, &name));
                        continue;
                    }
                    // Put in part by part, since a domain's name has dots of its own.
                    let path = key
                        .path
                        .split('.')
                        .map(|part| if part == "*" { &name } else { part });
                    out.push(one(examined, path.map(str::to_owned).collect()));
                }
            }
        }
        last_section = parts[0];
    }
    out
}

/// The headers that a list adds to its issues.
fn further_headers(examined: &Examined, list: &str) -> Vec<Shown> {
    let set = examined.values.further_headers(list);
    set.map(|path| one(examined, path.clone())).collect()
}

fn one(examined: &Examined, path: Vec<String>) -> Shown {
    let key = super::keys::find(&path).expect("the path was made from the table");
    let set = examined.values.set.get(&path);
    let value = match (set, key.fallback) {
        (Some(_), _) if key.kind == Kind::Secret => Some("(hidden)".to_owned()),
        (Some((value, _)), _) => Some(written(value)),
        (None, Fallback::Is(text)) => super::environment::read(key.kind, text)
            .as_ref()
            .map(written),
        (None, _) => None,
    };
    let source = match set.map(|(_, origin)| origin) {
        Some(Origin::File(line, _)) => format!("{}:{line}", examined.values.file),
        Some(Origin::Environment(name)) => name.clone(),
        Some(Origin::Default) | None => "default".to_owned(),
    };
    let unset = match key.fallback {
        Fallback::Unset(means) | Fallback::Always(means) if value.is_none() => Some(means),
        _ => None,
    };
    Shown {
        key: path.join("."),
        value,
        source,
        about: key.about,
        unset,
    }
}

/// A value as the file would have it.
fn written(value: &Value) -> String {
    match value {
        Value::Text(t) => quoted(t),
        Value::Number(n) => n.to_string(),
        Value::Decimal(text) => text.clone(),
        Value::Texts(texts) => {
            format!(
                "[{}]",
                texts
                    .iter()
                    .map(|t| quoted(t))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_value_is_shown_with_its_source_and_secrets_are_not() {
        let text = "[relay.b]\nhost = \"h\"\nusername = \"u\"\npassword = \"sesame\"\n[relay.a]\nhost = \"i\"\n";
        let variables = [("LETTERPRESS__RELAY__A__PORT".to_owned(), "25".to_owned())];
        let shown = show(&super::super::load::read(
            text,
            "l.toml",
            Path::new("."),
            variables,
        ));
        let get = |key: &str| shown.iter().find(|s| s.key == key).unwrap();
        assert_eq!(get("relay.b.host").value.as_deref(), Some("\"h\""));
        assert_eq!(get("relay.b.host").source, "l.toml:2");
        assert_eq!(get("relay.a.port").value.as_deref(), Some("25"));
        assert_eq!(get("relay.a.port").source, "LETTERPRESS__RELAY__A__PORT");
        assert_eq!(
            (
                get("web.trusted_proxies").value.as_deref(),
                get("web.trusted_proxies").source.as_str()
            ),
            (Some("[]"), "default")
        );
        assert_eq!(get("web.public_url").value, None);
        assert!(!serde_json::to_string(&shown).unwrap().contains("sesame"));
        let order: Vec<_> = shown
            .iter()
            .map(|s| s.key.as_str())
            .filter(|k| k.starts_with("relay"))
            .collect();
        assert!(
            order[..10].iter().all(|k| k.starts_with("relay.a")),
            "{order:?}"
        );
    }

    #[test]
    fn values_are_json_where_json_is_asked_for() {
        let value = |text: &str| {
            Shown {
                key: "web.listen".into(),
                value: Some(text.into()),
                source: "default".into(),
                about: "where",
                unset: None,
            }
            .as_json()["value"]
                .clone()
        };
        assert_eq!(
            value("\"127.0.0.1:8080\""),
            serde_json::json!("127.0.0.1:8080")
        );
        assert_eq!(value("587"), serde_json::json!(587));
        assert_eq!(value("[\"a\", \"b\"]"), serde_json::json!(["a", "b"]));
        assert_eq!(value("(hidden)"), serde_json::json!("(hidden)"));
    }
}
