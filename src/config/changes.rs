//! Which settings differ between two readings of them, for a daemon that reads them again.

use std::collections::BTreeSet;

use super::load::Examined;
use super::show::show;

/// The settings that differ, such as `relay.main.port`, in the order of their names. A setting whose default holds
/// before and afterwards does not differ, whether it is written down or not.
pub(crate) fn changes(before: &Examined, after: &Examined) -> Vec<String> {
    let held = |examined: &Examined| -> BTreeSet<(String, String)> {
        let shown = show(examined).into_iter();
        let mut held: BTreeSet<_> = shown
            .filter_map(|one| Some((one.key, one.value?)))
            .collect();
        // What is hidden there is compared as it is.
        let secrets = examined.settings.sending.relays.iter().filter_map(|relay| {
            let login = relay.endpoint.login.as_ref()?;
            let hidden = login.password.in_settings()?;
            Some((format!("relay.{}.password", relay.name), hidden.to_owned()))
        });
        held.extend(secrets);
        held
    };
    let (before, after) = (held(before), held(after));
    let names: BTreeSet<String> = before
        .symmetric_difference(&after)
        .map(|(key, _)| key.clone())
        .collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::load::read;
    use super::*;

    #[test]
    fn what_differs_is_named_and_a_secret_is_not_shown() {
        let examined = |text: &str| read(text, "l.toml", Path::new("/letter"), []);
        let before = examined(
            "[relay.a]\nhost = \"h\"\nusername = \"u\"\npassword = \"one\"\n[relay.b]\nhost = \"i\"\nport = 587\n",
        );
        let after = examined(
            "[relay.a]\nhost = \"h\"\nusername = \"u\"\npassword = \"two\"\n[relay.b]\nhost = \"j\"\n\
             [list.w]\nname = \"W\"\nfrom = \"w@w.test\"\n[list.w.headers]\nX-A = \"b\"\n",
        );
        let changed = changes(&before, &after);
        assert_eq!(changes(&before, &before), [""; 0]);
        for wanted in [
            "relay.a.password",
            "relay.b.host",
            "list.w.name",
            "list.w.headers.X-A",
        ] {
            assert!(
                changed.iter().any(|key| key == wanted),
                "{wanted}: {changed:?}"
            );
        }
        assert!(
            !changed.iter().any(|key| key == "relay.b.port"),
            "{changed:?}"
        );
    }
}
