//! Words of consent: what a value such as `unsubscribed`, `no` or `2023-05-06` says about mailing a person.
//!
//! Each product that keeps subscribers has its own words. Those whose meaning is certain are in the tables
//! here; any other word in a column of consent is [`Vote::Unknown`], and the file is refused. Which columns
//! hold consent is for `columns` to tell.

use crate::model::subscription::SubscriptionState::{
    self, Active, Bounced, Complained, Pending, Unsubscribed,
};

/// How the values of a column of consent are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A word for the state: `active`, `unsubscribed`. Yes and no mean nothing here.
    Status,
    /// Yes, a date or a word of consent: may be mailed. No: has left.
    Consent,
    /// When consent was given. Empty: never.
    ConsentDate,
    /// Yes or a date: confirmed. No or empty: still pending.
    Confirmed,
    /// Yes, a date or a word such as `unsubscribed`: gone in this way. No or empty: nothing is said.
    Gone(SubscriptionState),
    /// Anything, such as a date or a reason, is there only if the person is gone in this way.
    GoneIfAny(SubscriptionState),
    /// A count of bounces or complaints: zero says nothing, more is not certain.
    Count,
    /// A column that holds states in some products and anything in others: known words count.
    Kind,
}

/// What one value says about its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vote {
    /// Nothing against mailing, and nothing for it.
    Nothing,
    State(SubscriptionState),
    /// Not to be mailed, without having left: never subscribed, archived, paused.
    NotMailed,
    /// The column should say something, and is empty here.
    Missing,
    /// The word is not known; it may say that this person must not be mailed.
    Unknown,
}

/// What a word means by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    State(SubscriptionState),
    NotMailed,
    Yes,
    No,
    /// As good as empty.
    Blank,
    Date,
}

/// Words as [`compact`] writes them: lower case, letters and digits only.
#[rustfmt::skip]
const WORDS: &[(Meaning, &[&str])] = &[
    (
        Meaning::State(Active),
        &[
            "active", "activated", "activepatron", "activesubscriber", "subscribed", "subscriber",
            "subscribe", "enabled", "confirmed", "verified", "optedin", "optin", "doubleoptin",
            "singleoptin", "confirmedoptin", "express", "explicit", "marketingcontact",
            // Tiers of Buttondown, Ghost and Substack: each of them is mailed.
            "regular", "premium", "free", "paid", "comp", "comped", "gifted", "trial", "trialed",
            "churning", "aktiv", "aktiviert", "angemeldet", "abonniert", "eingetragen", "bestätigt",
            "bestaetigt", "abonné", "abonne", "inscrit", "suscrito", "iscritto", "actief",
            "actif", "activo", "attivo", "ativo", "inscrito", "подписан", "активен", "已订阅", "購読中", "登録中", "有効",
            "구독중",
        ],
    ),
    (
        Meaning::State(Pending),
        &[
            "pending", "unconfirmed", "notconfirmed", "unactivated", "notactivated", "unverified",
            "notverified", "awaitingconfirmation", "waitingforconfirmation", "pendingconfirmation",
            "confirmationpending", "optinpending", "pendingoptin", "doubleoptinpending", "waiting",
            "invited", "validating", "unbestätigt", "unbestaetigt", "nichtbestätigt",
            "nichtbestaetigt", "ausstehend", "wartend",
        ],
    ),
    (
        Meaning::State(Unsubscribed),
        &[
            "unsubscribed", "unsubscribe", "unsub", "unsubscribedall", "unsubscribedfromall",
            "unsubscribedbyadmin", "globallyunsubscribed", "globalunsubscribe", "listunsubscribed",
            "optedout", "optout", "deleted", "removed", "disabled", "deactivated", "inactive",
            "held", "blocklisted", "blacklisted", "blocked", "banned", "suppressed",
            "usersuppressed", "manuallysuppressed", "cancelled", "canceled", "revoked", "withdrawn",
            "left", "redacted", "donotemail", "donotmail", "donotcontact", "dnc", "nomail",
            "abgemeldet", "abbestellt", "ausgetragen", "gekündigt", "gekuendigt", "gelöscht",
            "geloescht", "gesperrt", "inaktiv", "deaktiviert", "widerrufen", "widersprochen",
            "nichtmehraktiv", "désabonné", "desabonne", "désinscrit", "desinscrit", "désinscrite",
            "baja", "dadodebaja", "disiscritto", "afgemeld", "uitgeschreven", "inactif",
            "inactivo", "inattivo", "inativo", "cancelado", "annullato", "отписан", "неактивен", "退订", "已退订",
            "取消订阅", "配信停止", "解除", "解約", "無効", "구독취소", "수신거부",
        ],
    ),
    (
        Meaning::State(Bounced),
        &[
            "bounced", "bounce", "hardbounced", "hardbounce", "hardbounces", "cleaned",
            "undeliverable", "undelivered", "unreachable", "invalid", "invalidemail",
            "invalidaddress", "unzustellbar", "ungültig", "ungueltig",
        ],
    ),
    (
        Meaning::State(Complained),
        &[
            "complained", "complaint", "complainer", "spam", "spammy", "markedasspam", "markedspam",
            "reportedspam", "reportedasspam", "spamcomplaint", "spamreport", "abuse", "junk",
        ],
    ),
    (
        Meaning::NotMailed,
        &[
            "nonsubscribed", "nonsubscriber", "notsubscribed", "neversubscribed", "notoptedin",
            "noconsent", "noemailconsent", "transactional", "transactionalonly", "nonmarketing",
            "nonmarketingcontact", "archived", "paused", "onhold", "churned", "pastdue", "unpaid",
            "upcoming", "lapsed", "former", "formerpatron", "declinedpatron", "needsattention",
            "softbounced", "softbounce", "nichtangemeldet", "nichtabonniert", "pausiert",
        ],
    ),
    (
        Meaning::Yes,
        &[
            "yes", "y", "true", "t", "1", "on", "x", "accepted", "agreed", "granted", "given",
            "allowed", "ja", "j", "wahr", "erteilt", "oui", "si", "sí", "sim", "是",
        ],
    ),
    (
        Meaning::No,
        &[
            "no", "n", "false", "f", "0", "off", "denied", "declined", "refused", "rejected",
            "notgiven", "notgranted", "nein", "falsch", "nichterteilt", "non", "não", "nee", "否",
        ],
    ),
    (
        Meaning::Blank,
        &[
            "null", "nil", "none", "never", "na", "nan", "unset", "nie", "keine", "keiner",
        ],
    ),
];

impl Reading {
    /// What a value says, if it stands in a column that is read in this way.
    pub(super) fn vote(self, value: &str) -> Vote {
        match (self, meaning(value)) {
            // Whatever stands there, such as the reason, is there only because the person left.
            (Reading::GoneIfAny(how), None) => Vote::State(how),
            (Reading::Kind, Some(Meaning::State(state))) => Vote::State(state),
            (Reading::Kind, Some(Meaning::NotMailed)) => Vote::NotMailed,
            (Reading::Kind, _) => Vote::Nothing,
            (Reading::Count, Some(Meaning::No | Meaning::Blank)) => Vote::Nothing,
            (Reading::Count, _) | (_, None) => Vote::Unknown,
            (Reading::ConsentDate, Some(Meaning::Blank | Meaning::No)) => Vote::Missing,
            (_, Some(Meaning::State(state))) => self.of_state(state),
            (_, Some(Meaning::NotMailed)) => Vote::NotMailed,
            (Reading::Status, Some(Meaning::Blank)) => Vote::Missing,
            (Reading::Status, Some(_)) => Vote::Unknown,
            (Reading::Consent, Some(Meaning::Blank)) => Vote::Missing,
            (Reading::Confirmed, Some(Meaning::Blank | Meaning::No)) => Vote::State(Pending),
            (
                Reading::Consent | Reading::ConsentDate | Reading::Confirmed,
                Some(Meaning::Yes | Meaning::Date),
            ) => Vote::State(Active),
            (Reading::Consent, Some(Meaning::No)) => Vote::State(Unsubscribed),
            (Reading::Gone(how) | Reading::GoneIfAny(how), Some(Meaning::Yes | Meaning::Date)) => {
                Vote::State(how)
            }
            (Reading::Gone(_) | Reading::GoneIfAny(_), Some(_)) => Vote::Nothing,
        }
    }

    /// A column of leaving that says `active` says that the person has not left.
    fn of_state(self, state: SubscriptionState) -> Vote {
        match self {
            Reading::Gone(_) | Reading::GoneIfAny(_) if !state.is_gone() => Vote::Nothing,
            _ => Vote::State(state),
        }
    }
}

/// Whether a value in a column that nobody reads says beyond doubt that its person must not be mailed.
pub(super) fn says_gone(value: &str) -> bool {
    const SURE: [&str; 16] = [
        "unsubscribed",
        "optedout",
        "bounced",
        "hardbounced",
        "complained",
        "blocklisted",
        "blacklisted",
        "suppressed",
        "unsubscribe",
        "donotemail",
        "donotmail",
        "donotcontact",
        "abgemeldet",
        "abbestellt",
        "désabonné",
        "désinscrit",
    ];
    // Looked at for each value of a large file: most are ruled out by their length.
    (7..=24).contains(&value.len())
        && value
            .bytes()
            .any(|b| matches!(b, b'b' | b'B' | b'c' | b'C' | b'o' | b'O' | b'p' | b'P'))
        && value
            .chars()
            .all(|c| c.is_alphabetic() || " -_".contains(c))
        && SURE.contains(&compact(value).as_str())
}

/// Whether a value is a plain no, in words.
pub(super) fn says_no(value: &str) -> bool {
    let is_word = value.len() <= 8 && value.chars().any(char::is_alphabetic);
    is_word && meaning(value) == Some(Meaning::No)
}

/// Whether a value is as good as empty.
pub(super) fn is_blank(value: &str) -> bool {
    meaning(value) == Some(Meaning::Blank)
}

/// A word as it is compared: lower case, letters and digits only.
pub(super) fn compact(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// What a word means; `None`: it is not known.
fn meaning(value: &str) -> Option<Meaning> {
    let value = value.trim();
    if value.is_empty() || value.chars().all(|c| "-–—_./[]{}".contains(c)) {
        return Some(Meaning::Blank);
    }
    match value {
        "✓" | "✔" | "✔️" | "☑" | "☑️" | "✅" => return Some(Meaning::Yes),
        "✗" | "✘" | "☐" | "❌" | "☒" => return Some(Meaning::No),
        _ => {}
    }
    let word = compact(value);
    let found = WORDS
        .iter()
        .find(|(_, words)| words.contains(&word.as_str()));
    found.map(|(meaning, _)| *meaning).or_else(|| date(value))
}

/// A date or time in any of the usual forms: digits with a year among them, or a Unix time. One of zeros is
/// what databases write where there is none.
fn date(value: &str) -> Option<Meaning> {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = value
        .chars()
        .all(|c| c.is_ascii_digit() || "-/.: TZ+,".contains(c));
    let has_month = value.chars().filter(|c| c.is_alphabetic()).count() <= 14;
    if value.len() > 48 || digits < 4 || !(is_plain || has_month) {
        return None;
    }
    let is_none = value.starts_with("0000-")
        || value.starts_with("0001-01-01")
        || value.starts_with("00/00/0000");
    let years = value.split(|c: char| !c.is_ascii_digit()).any(|part| {
        part.len() >= 8 || (part.len() == 4 && (part.starts_with("19") || part.starts_with("20")))
    });
    let short = is_plain && value.split(['-', '/', '.']).count() == 3;
    match (is_none, years || short) {
        (true, _) => Some(Meaning::Blank),
        (false, true) => Some(Meaning::Date),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_stands_in_the_tables_once_and_as_it_is_looked_up() {
        let mut seen = std::collections::HashSet::new();
        for word in WORDS.iter().flat_map(|(_, words)| *words) {
            assert_eq!(compact(word), **word, "{word}");
            assert!(seen.insert(word), "{word} twice");
        }
    }

    #[test]
    fn words_of_products_mean_what_they_mean_there() {
        for (word, wanted) in [
            ("Subscribed", Vote::State(Active)),
            ("enabled", Vote::State(Active)),
            ("blocklisted", Vote::State(Unsubscribed)),
            ("Opted-Out", Vote::State(Unsubscribed)),
            ("Cleaned", Vote::State(Bounced)),
            ("Marked as spam", Vote::State(Complained)),
            ("Unconfirmed", Vote::State(Pending)),
            ("NEVER_SUBSCRIBED", Vote::NotMailed),
            ("Non-Subscribed", Vote::NotMailed),
            ("Former patron", Vote::NotMailed),
            ("", Vote::Missing),
            ("3", Vote::Unknown),
            ("true", Vote::Unknown),
            ("implied", Vote::Unknown),
            ("2023-05-06", Vote::Unknown),
        ] {
            assert_eq!(Reading::Status.vote(word), wanted, "{word}");
        }
    }

    #[test]
    fn yes_and_no_mean_what_their_column_asks() {
        let gone = Reading::Gone(Unsubscribed);
        for (reading, word, wanted) in [
            (Reading::Consent, "TRUE", Vote::State(Active)),
            (Reading::Consent, "no", Vote::State(Unsubscribed)),
            (Reading::Consent, "2024-01-02 03:04", Vote::State(Active)),
            (Reading::Consent, "Nein", Vote::State(Unsubscribed)),
            (Reading::Consent, " ", Vote::Missing),
            (Reading::Consent, "perhaps", Vote::Unknown),
            (Reading::Consent, "2", Vote::Unknown),
            (gone, "1", Vote::State(Unsubscribed)),
            (gone, "06.05.2023", Vote::State(Unsubscribed)),
            (gone, "May 6, 2023", Vote::State(Unsubscribed)),
            (gone, "bounced", Vote::State(Bounced)),
            (gone, "false", Vote::Nothing),
            (gone, "", Vote::Nothing),
            (gone, "0000-00-00 00:00:00", Vote::Nothing),
            (gone, "active", Vote::Nothing),
            (gone, "17", Vote::Unknown),
            (
                Reading::GoneIfAny(Bounced),
                "mailbox is full",
                Vote::State(Bounced),
            ),
            (Reading::GoneIfAny(Bounced), "NULL", Vote::Nothing),
            (Reading::Confirmed, "0", Vote::State(Pending)),
            (Reading::Confirmed, "1683355629", Vote::State(Active)),
            (Reading::ConsentDate, "", Vote::Missing),
            (Reading::Count, "0", Vote::Nothing),
            (Reading::Count, "4", Vote::Unknown),
            (Reading::Kind, "customer", Vote::Nothing),
            (Reading::Kind, "removed", Vote::State(Unsubscribed)),
        ] {
            assert_eq!(reading.vote(word), wanted, "{reading:?} {word}");
        }
    }

    #[test]
    fn a_word_of_leaving_is_noticed_wherever_it_stands() {
        for word in [
            "Unsubscribed",
            "opted-out",
            "HARD BOUNCED",
            "abgemeldet",
            "Blocklisted",
        ] {
            assert!(says_gone(word), "{word}");
        }
        for word in [
            "",
            "Bouncy castle",
            "unsubscribed from the other list",
            "blocked drains",
        ] {
            assert!(!says_gone(word), "{word}");
        }
    }
}
