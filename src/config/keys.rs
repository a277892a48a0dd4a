//! Every setting: its name, its kind, its default, and what it is for.
//!
//! Reading, `config check`, `config show` and the test of the sample file all use this table, so that none of them
//! can know a setting that another does not.

use Fallback::{Always, Is, Required, Unset};
use Kind::{Decimal, Number, Secret, Text, Texts};

/// What a value looks like in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// A whole number.
    Number,
    /// A number that may have decimals.
    Decimal,
    /// Several texts: `["a", "b"]`, or `a, b` in the environment.
    Texts,
}

/// What holds if a setting is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// This value, in the form that the environment takes.
    Is(&'static str),
    /// Nothing; the words say what that means.
    Unset(&'static str),
    /// Taken from elsewhere; the words say from where.
    Always(&'static str),
    /// There must be a value.
    Required,
}

/// `[list.KEY.headers]`, whose keys are the author's.
pub(crate) const FURTHER_HEADERS: &str = "list.*.headers.*";

/// One setting. A `*` in its path stands for the name of a relay, a list, a provider or a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Where it is, such as `relay.*.host`.
    pub path: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// What holds if it is not set.
    pub fallback: Fallback,
    /// What it is for, in a few words without a full stop.
    pub about: &'static str,
}

const fn key(path: &'static str, kind: Kind, fallback: Fallback, about: &'static str) -> Key {
    Key {
        path,
        kind,
        fallback,
        about,
    }
}

/// All settings, in the order in which they are shown.
pub(crate) const KEYS: &[Key] = &[
    key(
        "web.listen",
        Text,
        Is("127.0.0.1:8080"),
        "host and port where the daemon serves its pages",
    ),
    key(
        "web.public_url",
        Text,
        Unset("nothing can be sent"),
        "the URL that every link in a mail begins with",
    ),
    key(
        "web.trusted_proxies",
        Texts,
        Is(""),
        "networks of proxies whose X-Forwarded-For or Forwarded is trusted",
    ),
    key(
        "web.cors_origins",
        Texts,
        Is(""),
        "sites whose scripts may call POST /subscribe; *: all",
    ),
    key("store.path", Text, Is("letterpress.db"), "the database"),
    key(
        "log.level",
        Text,
        Is("info"),
        "the level of the log: error, warn, info, debug or trace",
    ),
    key(
        "log.format",
        Text,
        Is("auto"),
        "the format of the log: auto, text, json or journald",
    ),
    key(
        "relay.*.host",
        Text,
        Required,
        "the SMTP server that takes the mails",
    ),
    key("relay.*.port", Number, Is("587"), "the port of that server"),
    key(
        "relay.*.tls",
        Text,
        Is("starttls"),
        "how the connection is encrypted: starttls, implicit or none",
    ),
    key(
        "relay.*.ca_file",
        Text,
        Unset("the system's root certificates only"),
        "further root certificates, PEM",
    ),
    key(
        "relay.*.username",
        Text,
        Unset("no login"),
        "the user name to log in with",
    ),
    key("relay.*.password", Secret, Unset("none"), "the password"),
    key(
        "relay.*.password_file",
        Text,
        Unset("none"),
        "a file with the password",
    ),
    key(
        "relay.*.connections",
        Number,
        Is("4"),
        "connections at the same time",
    ),
    key(
        "relay.*.messages_per_connection",
        Number,
        Is("500"),
        "mails sent over one connection",
    ),
    key(
        "relay.*.messages_per_minute",
        Number,
        Is("0"),
        "mails a minute through this relay; 0: no limit",
    ),
    key(
        "relay.*.weight",
        Number,
        Is("1"),
        "its share of the mails; 0: only when the others fail",
    ),
    key(
        "relay.*.warm_up_per_day",
        Number,
        Is("0"),
        "mails on its first day of sending; 0: no warm-up",
    ),
    key(
        "relay.*.warm_up_growth",
        Decimal,
        Is("1.5"),
        "the factor by which each day of sending allows more",
    ),
    key(
        "relay.*.ehlo_name",
        Text,
        Always("this machine's full name, else its address"),
        "the name given in EHLO",
    ),
    key(
        "relay.*.dkim",
        Text,
        Is("both"),
        "the DKIM signatures of its mails: both, rsa, ed25519 or none",
    ),
    key(
        "relay.*.dkim_headers_not",
        Texts,
        Is(""),
        "headers that are not signed, because the relay rewrites them",
    ),
    key(
        "relay.*.pipelining",
        Text,
        Is("standard"),
        "how commands are sent: off, standard or ahead",
    ),
    key(
        "domain.*.messages_per_minute",
        Number,
        Is("0"),
        "to this provider, over all relays; 0: no limit",
    ),
    key(
        "domain.*.connections",
        Number,
        Is("0"),
        "mails to it in flight at the same time; 0: no limit",
    ),
    key(
        "domain.*.messages_per_connection",
        Number,
        Is("0"),
        "mails to it over one connection; 0: no limit",
    ),
    key(
        "domain.*.domains",
        Texts,
        Is(""),
        "further domains of the same provider",
    ),
    key(
        "sending.batch_size",
        Number,
        Is("500"),
        "how many mails are read ahead; they stay queued",
    ),
    key(
        "sending.pause_between_batches",
        Text,
        Is("0s"),
        "a pause after each batch",
    ),
    key(
        "sending.first_retry",
        Text,
        Is("5m"),
        "the first wait after a temporary refusal",
    ),
    key(
        "sending.longest_retry",
        Text,
        Is("4h"),
        "the longest wait between two tries",
    ),
    key(
        "sending.give_up_after",
        Text,
        Is("48h"),
        "how long a deferred mail is tried before it has failed",
    ),
    key(
        "sending.window",
        Text,
        Unset("at any time"),
        "the hours in which issues are sent, such as 08:00-20:00",
    ),
    key(
        "sending.window_days",
        Texts,
        Is(""),
        "the days on which these hours begin, such as mon, tue; none: every day",
    ),
    key(
        "sending.window_zone",
        Text,
        Always("the list's zone"),
        "the time zone of these hours",
    ),
    key(
        "sending.pause_above_failed",
        Decimal,
        Is("0.3"),
        "share of permanent refusals above which an issue pauses; 0: never",
    ),
    key(
        "sending.pause_above_deferred",
        Decimal,
        Is("0.7"),
        "share of temporary refusals above which an issue pauses; 0: never",
    ),
    key(
        "sending.hold_when_late",
        Text,
        Is("6h"),
        "an issue that was due longer ago is held until it is resumed",
    ),
    key(
        "sending.timeout.connect",
        Text,
        Is("30s"),
        "how long a relay may take to accept a connection",
    ),
    key(
        "sending.timeout.greeting",
        Text,
        Is("5m"),
        "to greet, and for a TLS handshake",
    ),
    key(
        "sending.timeout.command",
        Text,
        Is("5m"),
        "to answer MAIL, RCPT and other commands",
    ),
    key("sending.timeout.data", Text, Is("2m"), "to answer DATA"),
    key(
        "sending.timeout.block",
        Text,
        Is("3m"),
        "to take a part of a mail",
    ),
    key(
        "sending.timeout.dot",
        Text,
        Is("10m"),
        "to answer a mail; without a reply by then it is uncertain",
    ),
    key("list.*.name", Text, Required, "the newsletter's name"),
    key(
        "list.*.promise",
        Text,
        Always("its name"),
        "the headline of the sign-up page",
    ),
    key(
        "list.*.description",
        Text,
        Is(""),
        "what subscribers get, in a sentence or two",
    ),
    key(
        "list.*.from",
        Text,
        Required,
        "the sender, such as Akira <news@example.org>",
    ),
    key(
        "list.*.reply_to",
        Text,
        Always("the From address"),
        "the address that answers go to",
    ),
    key(
        "list.*.unsubscribe_mailto",
        Text,
        Always("the From address"),
        "the address to unsubscribe by mail",
    ),
    key(
        "list.*.bounce_address",
        Text,
        Unset("From is the envelope sender"),
        "the address that bounces are sent to",
    ),
    key(
        "list.*.language",
        Text,
        Is("en"),
        "the language of the newsletter and its pages, BCP 47",
    ),
    key(
        "list.*.issues",
        Text,
        Is("issues"),
        "the folder of issue files",
    ),
    key(
        "list.*.schedule",
        Text,
        Unset("sent by hand"),
        "a cron pattern of five fields, Sunday is 0",
    ),
    key(
        "list.*.zone",
        Text,
        Is("UTC"),
        "the time zone of the list, such as Europe/Berlin",
    ),
    key(
        "list.*.send_between",
        Text,
        Always("sending.window"),
        "hours of its own in its time zone, or always",
    ),
    key(
        "list.*.theme",
        Text,
        Is("magazine"),
        "magazine or quiet, or a folder in themes/",
    ),
    key(
        "list.*.postal_address",
        Text,
        Is(""),
        "in the footer; required by law in many countries",
    ),
    key(
        "list.*.confirm_within",
        Text,
        Is("72h"),
        "how long a confirmation link is valid",
    ),
    key(
        "list.*.confirm_again_after",
        Text,
        Is("1h"),
        "the minimum time between two confirmation mails to one address",
    ),
    key(
        FURTHER_HEADERS,
        Text,
        Unset("none"),
        "a further header of its issues",
    ),
    key(
        "list.*.utm.source",
        Text,
        Is("newsletter"),
        "utm_source of every link",
    ),
    key(
        "list.*.utm.medium",
        Text,
        Is("email"),
        "utm_medium of every link",
    ),
    key(
        "list.*.utm.campaign",
        Text,
        Is("{list}"),
        "utm_campaign; can contain {list}, {number}, {date}, {slug}",
    ),
    key(
        "list.*.utm.only_domains",
        Texts,
        Is(""),
        "if set, only links to these domains are tagged",
    ),
    key(
        "list.*.utm.never_domains",
        Texts,
        Is(""),
        "links to these domains are not tagged",
    ),
];

/// The sections whose members the author names.
pub(crate) const NAMED: [&str; 3] = ["relay", "domain", "list"];

/// The setting of a path with real names in it, such as `relay.main.host`.
pub(crate) fn find(path: &[String]) -> Option<&'static Key> {
    KEYS.iter().find(|key| {
        let mut parts = key.path.split('.');
        path.iter()
            .all(|name| parts.next().is_some_and(|part| part == "*" || part == name))
            && parts.next().is_none()
    })
}

/// The sections that know a key of this name, such as `[relay.NAME] or [domain.NAME]`; `None` where none does.
pub(crate) fn sections_with(name: &str) -> Option<String> {
    let section = |key: &Key| {
        let (section, last) = key.path.rsplit_once('.')?;
        (last == name).then(|| format!("[{}]", section.replace('*', "NAME")))
    };
    let sections: Vec<String> = KEYS.iter().filter_map(section).collect();
    (!sections.is_empty()).then(|| sections.join(" or "))
}

/// What may follow a prefix with real names in it: `[]` gives the sections, `["relay", "main"]` its keys.
pub(crate) fn children(prefix: &[String]) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for key in KEYS {
        let mut parts = key.path.split('.');
        let fits = prefix
            .iter()
            .all(|name| parts.next().is_some_and(|part| part == "*" || part == name));
        if let (true, Some(part)) = (fits, parts.next())
            && !found.contains(&part)
        {
            found.push(part);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn paths_with_names_find_their_setting() {
        assert_eq!(
            find(&path("relay.main.host")).map(|k| k.path),
            Some("relay.*.host")
        );
        assert_eq!(
            find(&path("list.weekly.utm.source")).map(|k| k.path),
            Some("list.*.utm.source")
        );
        assert!(find(&path("relay.main")).is_none());
        assert!(find(&path("web.listem")).is_none());
    }

    #[test]
    fn children_are_the_names_that_may_follow() {
        assert_eq!(
            children(&[]),
            ["web", "store", "log", "relay", "domain", "sending", "list"]
        );
        assert_eq!(children(&path("relay")), ["*"]);
        assert!(children(&path("list.weekly")).contains(&"utm"));
        assert!(children(&path("list.weekly.utm")).contains(&"only_domains"));
        assert!(children(&path("web.listen")).is_empty());
    }
}
