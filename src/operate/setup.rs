//! Whether the settings are complete enough to send.

use crate::config::{self, Settings};

use super::Refusal;

/// Refuses to send where no relay would take the mails, or where their links could not be opened.
///
/// # Errors
/// [`Refusal::NoRelay`], [`Refusal::NoPublicUrl`], [`Refusal::LocalPublicUrl`]
pub(crate) fn can_send(settings: &Settings) -> Result<(), Refusal> {
    if settings.sending.relays.is_empty() {
        return Err(Refusal::NoRelay);
    }
    let Some(url) = &settings.public_url else {
        return Err(Refusal::NoPublicUrl);
    };
    let remote = settings
        .sending
        .relays
        .iter()
        .find(|relay| !is_local(&relay.endpoint.host));
    match remote {
        Some(relay) if config::is_loopback(url) => Err(Refusal::LocalPublicUrl {
            url: url.clone(),
            relay: relay.endpoint.host.clone(),
        }),
        _ => Ok(()),
    }
}

/// Whether a host is this machine.
fn is_local(host: &str) -> bool {
    let bracketed = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    config::is_loopback(&format!("http://{bracketed}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_whose_links_lead_nowhere() {
        let can = |public_url: &str, hosts: &[&str]| {
            let mut text = format!("[web]\n{public_url}\n");
            for (i, host) in hosts.iter().enumerate() {
                text.push_str(&format!("[relay.r{i}]\nhost = \"{host}\"\n"));
            }
            can_send(&config::of_text(&text))
        };
        let (here, there) = (
            "public_url = \"http://127.0.0.1:8080\"",
            "public_url = \"https://letters.example.org\"",
        );
        assert_eq!(can(there, &[]), Err(Refusal::NoRelay));
        assert_eq!(can("", &["smtp.example.org"]), Err(Refusal::NoPublicUrl));
        assert_eq!(
            can(here, &["127.0.0.1", "smtp.example.org"]),
            Err(Refusal::LocalPublicUrl {
                url: "http://127.0.0.1:8080".into(),
                relay: "smtp.example.org".into()
            })
        );
        assert_eq!(can(here, &["127.0.0.1", "::1"]), Ok(()));
        assert_eq!(can(there, &["smtp.example.org"]), Ok(()));
    }
}
