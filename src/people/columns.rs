//! What the columns of a file of people mean, told by their names alone.
//!
//! Names are compared in a normal form: case, spaces, underscores, hyphens and invisible characters do not
//! count. Names that products write and whose meaning is not told by their words stand in a table; of any
//! other name the words are looked at. A name that speaks of consent, and whose meaning is not certain, is
//! [`Column::Unclear`]: the file is refused, since it may say that somebody must not be mailed. What the
//! values mean is for `consent` to tell.

use unicode_normalization::UnicodeNormalization as _;

use super::consent::Reading;
use crate::model::invisible;
use crate::model::subscription::SubscriptionState::{self, Bounced, Complained, Unsubscribed};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// An address under a name other than `email`.
    Email,
    FirstName,
    LastName,
    /// When the person joined, under a name other than `joined_at`.
    Joined,
    /// A full name under a name other than `name`.
    FullName,
    /// Whether, or since when, the person may be mailed.
    Consent(Reading),
    /// Something that says nothing about consent.
    Other,
    /// Something that seems to be about consent, and that nobody can read.
    Unclear,
}

/// Columns whose names alone do not tell what they hold, as [`super::consent::compact`] writes them.
#[rustfmt::skip]
const KNOWN: &[(Column, &[&str])] = &[
    (
        Column::Email,
        &[
            "emailaddress", "mail", "mailaddress", "subscriberemail", "contactemail", "useremail",
            "memberemail", "customeremail", "email1", "email1value", "emailaddress1", "primaryemail",
            // German, Dutch, French, Spanish, Portuguese, Italian.
            "emailadresse", "mailadresse", "emailadres", "adresseemail", "adressemail", "adressedemail",
            "courriel", "adressecourriel", "adressedecourriel", "adresseélectronique", "correo",
            "correoelectronico", "correoelectrónico", "direccióndecorreo", "direcciondecorreo",
            "direccióndecorreoelectrónico", "direcciondecorreoelectronico", "endereçodeemail",
            "enderecodeemail", "correioeletrônico", "indirizzoemail", "indirizzomail", "postaelettronica",
            // Nordic and Slavic languages, Turkish, Hungarian.
            "epost", "epostadress", "epostadresse", "emailadress", "sähköposti", "sähköpostiosoite",
            "adresemail", "emailová", "eposta", "epostaadresi", "emailcím", "почта", "электроннаяпочта",
            "эладрес", "эпочта", "имейл",
            // Chinese, Japanese, Korean.
            "邮箱", "邮箱地址", "电子邮箱", "电子邮件", "电子邮件地址", "邮件", "邮件地址", "电邮", "信箱", "電子郵件", "電子信箱",
            "郵件", "電郵", "メール", "メールアドレス", "eメール", "이메일", "이메일주소", "메일",
        ],
    ),
    (
        Column::FullName,
        &[
            "fullname", "namefull", "displayname", "subscribername", "contactname", "membername", "customername",
            "vollständigername", "vollstaendigername", "nomcomplet", "nomprénom", "nomprenom", "nombrecompleto",
            "nomecompleto", "nomecognome", "volledigenaam", "naam", "namn", "navn", "имяифамилия", "фио",
            "姓名", "名字", "名称", "氏名", "お名前", "名前", "이름", "성명",
        ],
    ),
    (
        Column::FirstName,
        &[
            "firstname", "fname", "givenname", "forename", "first", "vorname", "prénom", "prenom", "nombre",
            "nombres", "nome", "voornaam", "förnamn", "fornavn", "etunimi", "imię", "imie", "jméno", "имя", "名",
        ],
    ),
    (
        Column::LastName,
        &[
            "lastname", "lname", "surname", "familyname", "nachname", "familienname", "nom", "nomdefamille",
            "apellido", "apellidos", "cognome", "sobrenome", "apelido", "achternaam", "efternamn", "etternavn",
            "efternavn", "sukunimi", "nazwisko", "příjmení", "фамилия", "soyad", "soyadı", "姓", "姓氏",
        ],
    ),
    (
        Column::Joined,
        &[
            "createdat", "created", "createdon", "createddate", "datecreated", "creationdate", "createdate",
            "profilecreatedon", "joined", "joinedon", "joindate", "datejoined", "membersince", "signupdate",
            "signedupat", "signedup", "signuptime", "dateadded", "addedat", "addedon", "subscribedat",
            "subscribedon", "subscribeddate", "datesubscribed", "subscribedate", "subscriptiondate",
            "subscribersince", "subscribedsince", "registeredat", "registrationdate", "patronagesincedate",
            "optintime", "anmeldedatum", "angemeldetam", "angemeldetseit", "abonniertseit", "abonniertam",
            "eingetragenam", "erstelltam", "registriertam", "dateinscription", "datedinscription",
            "fechadealta", "datadiiscrizione", "datadeinscrição", "注册时间", "订阅时间", "登録日",
        ],
    ),
    // Mailchimp leaves the time of the confirmation empty for people whom its user brought in. Substack's and
    // Ghost's subscriptions are about money. The others are no words of consent, though they look like some.
    (
        Column::Other,
        &[
            "optinip", "confirmtime", "confirmip", "activesubscription", "subscriptiontype",
            "subscribersource", "followsyou", "maritalstatus", "unitedstates",
        ],
    ),
    (
        Column::Consent(Reading::Kind),
        &["type", "subscribertype", "typ"],
    ),
    (
        Column::Consent(Reading::GoneIfAny(Unsubscribed)),
        &["stoptime", "stopdate", "stopstatus", "leftat"],
    ),
    (
        Column::Consent(Reading::GoneIfAny(Bounced)),
        &["cleantime", "cleancampaigntitle", "cleancampaignid"],
    ),
    (
        Column::Consent(Reading::Status),
        &[
            "patronstatus", "memberstatus", "mitgliedsstatus", "statut", "estado", "stato", "estatus", "situação",
            "stav", "tila", "durum", "статус", "состояние", "状态", "订阅状态", "狀態", "訂閱狀態", "状況", "ステータス",
            "購読状況", "配信状況", "상태", "구독상태",
        ],
    ),
    // HubSpot counts contacts in two kinds; those it calls non-marketing get no mail.
    (
        Column::Consent(Reading::Consent),
        &[
            "subscriber", "marketingcontactstatus", "emailable", "mailable",
        ],
    ),
    (
        Column::Consent(Reading::Gone(Unsubscribed)),
        &["dnc", "nomail", "noemail", "emaildisabled"],
    ),
    (
        Column::Consent(Reading::Gone(Complained)),
        &["abuse", "junk"],
    ),
    (
        Column::Unclear,
        &[
            "cancelled", "canceled", "left", "quit", "hold", "onhold", "paused", "churned",
        ],
    ),
];

/// Words, or beginnings of words, that speak of leaving, and how one is gone then.
#[rustfmt::skip]
const LEAVING: &[(SubscriptionState, &[&str])] = &[
    (
        Complained,
        &["complain", "complaint", "spam", "abusereport", "beschwerde"],
    ),
    (
        Bounced,
        &[
            "bounce", "cleaned", "undeliver", "unzustellbar", "unreachable", "invalid", "ungültig",
            "ungueltig",
        ],
    ),
    (
        Unsubscribed,
        &[
            "unsub", "optout", "optedout", "optsout", "suppress", "blocklist", "blacklist",
            "blocked", "deleted", "deletion", "disabled", "deactivat", "inactive", "donotemail",
            "donotmail", "donotcontact", "dontmail", "donotsend", "banned", "removed", "archived",
            "abgemeldet", "abmeld", "abbestell", "ausgetragen", "austrag", "gelöscht", "geloescht",
            "gesperrt", "sperr", "gekündigt", "kündig", "gekuendigt", "widerruf", "widersp",
            "inaktiv", "deaktiv", "désabonn", "desabonn", "désinscri", "desinscri", "disiscri",
            "afgemeld", "uitgeschreven", "revoked", "withdrawn", "exclude", "austritt", "ausgeschieden",
            "deceased", "verstorben",
        ],
    ),
];

/// Words that speak of a confirmation.
#[rustfmt::skip]
const CONFIRMING: &[&str] = &[
    "confirm", "verif", "doubleopt", "bestätig", "bestaetig", "validated", "validiert",
];

/// Words that speak of consent to be mailed.
#[rustfmt::skip]
const CONSENTING: &[&str] = &[
    "consent", "optin", "optedin", "optsin", "permission", "gdpr", "dsgvo", "einwillig",
    "eingewilligt", "zustimm", "zugestimmt", "erlaub", "subscri", "abonn", "angemeldet", "anmeld",
    "marketing", "newsletter", "enabled", "aktiviert", "suscri", "inscri", "iscritt", "akzeptiert",
    "mailable",
];

/// Of these, words of being subscribed.
#[rustfmt::skip]
const SUBSCRIBING: &[&str] = &["subscri", "abonn", "angemeldet", "anmeld", "newsletter", "enabled"];

/// Words of consent where they stand alone: `allowance` and `interactive` are none.
#[rustfmt::skip]
const CONSENTING_WORDS: &[&str] = &[
    "accept", "accepts", "accepted", "agree", "agrees", "agreed", "allow", "allows", "allowed",
    "receive", "receives", "wants", "active", "aktiv", "actif", "sub", "subs", "mailings",
];

/// Words, or parts of words, that may be about mailing, and by which nothing is certain.
#[rustfmt::skip]
const SUSPECT: &[&str] = &[
    "cancel", "churn", "gdpr", "opt", "emailpreference", "mailpreference", "block", "kündig",
    "valid", "deliverability", "unwanted", "quarantine", "mailstop", "anschreib",
];
/// Words that may be about mailing only where they are a whole word of the column's name.
#[rustfmt::skip]
const SUSPECT_WORDS: &[&str] = &[
    "status", "state", "zustand", "stop", "stopped", "quit", "left", "hold", "held", "pause",
    "paused", "dnc", "notification", "notifications", "mute", "contactable", "reachable",
    "never", "nicht", "kein", "keine",
];

/// Words that leave the meaning of a name as it is.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "e", "mail", "mails", "email", "emails", "emailing", "mailing", "mailings", "list", "lists",
    "liste", "newsletter", "newsletters", "marketing", "all", "any", "from", "of", "to", "for",
    "by", "is", "has", "was", "been", "the", "our", "global", "globally", "contact", "subscriber",
    "subscription", "member", "user", "customer", "kunde", "address", "adresse", "status", "state",
    "flag", "hard", "information", "communication", "communications", "campaigns", "do", "not",
    "opt", "opted", "in", "out", "zum", "zur", "vom", "für", "per", "via", "der", "die", "double",
    "single", "person", "current", "werbung",
];

/// Words of a moment.
#[rustfmt::skip]
const MOMENTS: &[&str] = &[
    "at", "time", "date", "datetime", "timestamp", "on", "since", "datum", "am", "seit",
    "zeitpunkt", "zeit", "when", "ts", "day", "last",
];

/// Words of what surrounds an event: there only where it happened.
#[rustfmt::skip]
const CIRCUMSTANCES: &[&str] = &[
    "reason", "grund", "campaign", "title", "source", "quelle", "method", "ip", "message",
    "comment", "feedback", "details", "other", "diagnostic", "origin", "channel",
];

/// Words by which a column holds no state, but something about it.
#[rustfmt::skip]
const ASIDE: &[&str] = &[
    "ip", "source", "quelle", "method", "form", "formular", "text", "version", "url", "link",
    "token", "hash", "page", "key", "campaign", "tier", "tiers", "plan", "id", "uuid", "price",
    "amount", "currency", "names", "interval", "renewal", "start", "referrer", "place", "country",
    "sent", "open", "opens", "opened", "click", "clicks", "clicked", "delivered", "received", "subject",
];
/// Of these, what everybody has, also who did not leave.
#[rustfmt::skip]
const LINKS: &[&str] = &["url", "link", "token", "hash", "page", "key", "uuid"];

/// Words of other ways to reach somebody. Consent to these says nothing about mail.
#[rustfmt::skip]
const OTHER_CHANNELS: &[&str] = &[
    "sms", "push", "whatsapp", "phone", "telefon", "mobile", "fax", "call", "calls", "rcs", "viber",
    "mms", "telegram", "signal",
];
/// With one of these a column is about mail too.
#[rustfmt::skip]
const MAIL_WORDS: &[&str] = &[
    "mail", "mails", "email", "emails", "newsletter", "newsletters", "all", "any", "mailing",
];

/// Words of states that are about money, work or places.
#[rustfmt::skip]
const OTHER_STATES: &[&str] = &[
    "charge", "payment", "billing", "order", "orders", "invoice", "tax", "stripe", "financial",
    "shipping", "fulfillment", "pledge", "marital", "employment", "lead", "lifecycle", "ticket",
    "deal", "province", "region", "county", "country", "city", "zip", "bundesland", "home", "work",
    "business", "us",
];

/// Whether a column of this name is about mail or contact at all, though it seems to say nothing of consent: a
/// plain no in it may be one to being mailed.
pub(super) fn is_about_mail(name: &str) -> bool {
    let words = words(name);
    let is_about =
        any(&words, MAIL_WORDS) || any(&words, &["contact", "updates", "offers", "promotions"]);
    is_about && !any(&words, ASIDE) && !any(&words, MOMENTS) && !any(&words, OTHER_CHANNELS)
}

impl Column {
    /// What a column of this name holds.
    pub(super) fn of_name(name: &str) -> Column {
        let words = words(name);
        let key = words.concat();
        if let Some((column, _)) = KNOWN
            .iter()
            .find(|(_, names)| names.contains(&key.as_str()))
        {
            return *column;
        }
        if any(&words, OTHER_CHANNELS) && !any(&words, MAIL_WORDS) {
            return Column::Other;
        }
        leaving(&key, &words)
            .or_else(|| confirming(&key, &words))
            .or_else(|| consenting(&key, &words))
            .or_else(|| state(&key, &words))
            .unwrap_or(Column::Other)
    }
}

/// Whether each word is a filler, one of `more`, or holds one of these stems.
fn nothing_else(words: &[String], stems: &[&str], more: &[&str]) -> bool {
    words.iter().all(|word| {
        let word = word.as_str();
        FILLERS.contains(&word)
            || more.contains(&word)
            || stems.iter().any(|stem| word.contains(stem))
    })
}

fn any(words: &[String], set: &[&str]) -> bool {
    words.iter().any(|word| set.contains(&word.as_str()))
}

/// A column about leaving.
fn leaving(key: &str, words: &[String]) -> Option<Column> {
    let (how, stems) = LEAVING
        .iter()
        .find(|(_, stems)| stems.iter().any(|stem| key.contains(stem)))?;
    let is_count = any(
        words,
        &[
            "count", "counts", "total", "number", "num", "anzahl", "rate", "score", "soft",
        ],
    ) || key.ends_with("bounces")
        || key.ends_with("complaints");
    let is_denied = any(words, &["non", "no", "nicht", "without", "re"])
        || (any(words, &["not"]) && !key.contains("donot"))
        || key.contains("resub");
    Some(if any(words, LINKS) {
        Column::Other
    } else if is_denied {
        Column::Unclear
    } else if is_count {
        Column::Consent(Reading::Count)
    } else if any(words, MOMENTS) || any(words, CIRCUMSTANCES) {
        Column::Consent(Reading::GoneIfAny(*how))
    } else if nothing_else(words, stems, &[]) {
        Column::Consent(Reading::Gone(*how))
    } else {
        Column::Unclear
    })
}

/// A column about a confirmation.
fn confirming(key: &str, words: &[String]) -> Option<Column> {
    if !CONFIRMING.iter().any(|stem| key.contains(stem)) && !any(words, &["doi"]) {
        return None;
    }
    Some(if any(words, ASIDE) {
        Column::Other
    } else if nothing_else(words, CONFIRMING, MOMENTS) || nothing_else(words, &["doi"], MOMENTS) {
        Column::Consent(Reading::Confirmed)
    } else {
        Column::Unclear
    })
}

/// A column about consent.
fn consenting(key: &str, words: &[String]) -> Option<Column> {
    let stems: Vec<&str> = CONSENTING
        .iter()
        .copied()
        .filter(|stem| key.contains(stem))
        .collect();
    if stems.is_empty() && !any(words, CONSENTING_WORDS) {
        return None;
    }
    // Since when somebody is subscribed is no more than a date; when somebody consented is the consent.
    let of_subscription = stems.iter().all(|stem| SUBSCRIBING.contains(stem));
    let is_aside = any(words, ASIDE)
        || any(
            words,
            &[
                "count", "total", "number", "days", "anzahl", "send", "sends", "name",
            ],
        )
        || (any(words, OTHER_STATES) && !any(words, MAIL_WORDS));
    Some(if is_aside || (any(words, MOMENTS) && of_subscription) {
        Column::Other
    } else if any(words, MOMENTS) {
        Column::Consent(Reading::ConsentDate)
    } else if any(words, &["not", "no", "non", "nicht", "kein", "keine"]) {
        Column::Unclear
    } else if nothing_else(words, CONSENTING, CONSENTING_WORDS) {
        Column::Consent(Reading::Consent)
    } else {
        Column::Unclear
    })
}

/// A column about a state, or about something that sounds like one.
fn state(key: &str, words: &[String]) -> Option<Column> {
    let is_state = any(words, &["status", "state", "zustand"]);
    if is_state && nothing_else(words, &["status", "state", "zustand"], &[]) {
        return Some(Column::Consent(Reading::Status));
    }
    if is_state && any(words, OTHER_STATES) {
        return Some(Column::Other);
    }
    // `opt` begins many words: option, optimal, optician.
    let starts = |stem: &&str| {
        words
            .iter()
            .any(|word| word == stem || (stem.len() > 3 && key.contains(*stem)))
    };
    (SUSPECT.iter().any(starts) || any(words, SUSPECT_WORDS)).then_some(Column::Unclear)
}

/// What the name of a file says about all the people in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileName {
    Nothing,
    /// Mailchimp exports people in files by their state: all in this one are gone in this way.
    Everybody(SubscriptionState),
    /// There is a word of leaving in it.
    Suspect,
}

/// Words in the name of a file, and how all in it are gone then.
#[rustfmt::skip]
const FILE_NAMES: &[(SubscriptionState, &[&str])] = &[
    (
        Unsubscribed,
        &[
            "unsubscribed", "unsubscribes", "unsubscribers", "unsubs", "unsub", "optout", "optouts",
            "optedout", "abgemeldet", "abgemeldete", "abmeldungen", "ausgetragen", "suppressed",
            "suppression", "suppressions", "blocklist", "blacklist", "blocklisted", "blacklisted",
        ],
    ),
    (Bounced, &["cleaned", "bounced", "bounces"]),
    (Complained, &["complaints", "complained", "spam"]),
];
/// Words in the name of a file of people who never asked for mail.
const FILE_NEVER: &[&str] = &[
    "nonsubscribed",
    "nonsubscribers",
    "neversubscribed",
    "transactional",
];

impl FileName {
    /// `stem`: the name without folder and ending. `of_mailchimp`: the columns are Mailchimp's.
    pub(super) fn of(stem: &str, of_mailchimp: bool) -> FileName {
        let words = words(stem);
        let never = any(&words, FILE_NEVER)
            || words
                .windows(2)
                .any(|pair| FILE_NEVER.contains(&pair.concat().as_str()));
        let denies = |word: &String| {
            ["not", "no", "non", "without", "ohne", "minus", "nicht"].contains(&word.as_str())
        };
        let found = (0..words.len()).find_map(|i| {
            let pair = words
                .get(i..i + 2)
                .map(<[String]>::concat)
                .unwrap_or_default();
            let says =
                |set: &&[&str]| set.contains(&words[i].as_str()) || set.contains(&pair.as_str());
            let (state, _) = FILE_NAMES.iter().find(|(_, set)| says(set))?;
            (i == 0 || !denies(&words[i - 1])).then_some((i, *state))
        });
        let exported = of_mailchimp || any(&words, &["export", "audience", "members", "segment"]);
        match found {
            Some((0, state)) if exported => FileName::Everybody(state),
            Some(_) => FileName::Suspect,
            None if never => FileName::Suspect,
            None => FileName::Nothing,
        }
    }
}

/// The words of a name in lower case. `EmailDisabled`, `email_disabled` and `Email-Disabled` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    // Macs write é as two characters.
    let name: String = name.nfc().collect();
    let is_shown =
        |c: &char| invisible::name(*c).is_none() && (c.is_whitespace() || !c.is_control());
    for c in name.chars().filter(is_shown) {
        let begins = c.is_uppercase() && was_lower;
        if (begins || !c.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_alphanumeric()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::consent::compact;

    fn consent(reading: Reading) -> Column {
        Column::Consent(reading)
    }

    #[test]
    fn names_are_compared_without_what_nobody_sees() {
        assert_eq!(words("\u{feff}E-Mail Address"), ["e", "mail", "address"]);
        assert_eq!(words("email\u{200b}_disabled"), ["email", "disabled"]);
        assert_eq!(words("acceptsMarketing"), ["accepts", "marketing"]);
        assert_eq!(compact(" Opted-Out "), "optedout");
        for name in [
            "Email Address",
            "E-mail_Address",
            "EMAILADDRESS",
            "emailAddress",
            "\u{feff}e-mail adresse",
        ] {
            assert_eq!(Column::of_name(name), Column::Email, "{name}");
        }
    }

    #[test]
    fn columns_of_leaving_are_read() {
        let gone = consent(Reading::Gone(Unsubscribed));
        let left = consent(Reading::GoneIfAny(Unsubscribed));
        for (name, wanted) in [
            ("email_disabled", gone),
            ("Unsubscribed", gone),
            ("Unsubscribed from all email", gone),
            ("Opted out of email: Marketing Information", gone),
            ("is_unsubscribed", gone),
            ("Do Not Email", gone),
            ("Blocklisted", gone),
            ("blacklisted", gone),
            ("Deleted", gone),
            ("abgemeldet", gone),
            ("Abgemeldet vom Newsletter", gone),
            ("OptOut", gone),
            ("Suppressed", gone),
            ("deleted_at", left),
            ("UNSUB_TIME", left),
            ("UNSUB_CAMPAIGN_TITLE", left),
            ("UNSUB_REASON", left),
            ("unsubscribed_at", left),
            ("Unsubscribe Date", left),
            ("unsubscription_date", left),
            ("Confirmed Opt-Out Date", left),
            ("OptOut_Date", left),
            ("Abmeldedatum", gone),
            ("Abgemeldet am", left),
            ("CLEAN_TIME", consent(Reading::GoneIfAny(Bounced))),
            (
                "Email hard bounce reason",
                consent(Reading::GoneIfAny(Bounced)),
            ),
            ("bounced", consent(Reading::Gone(Bounced))),
            ("bounce_count", consent(Reading::Count)),
            ("Soft bounces", consent(Reading::Count)),
            ("spam_complaint", consent(Reading::Gone(Complained))),
        ] {
            assert_eq!(Column::of_name(name), wanted, "{name}");
        }
    }

    #[test]
    fn columns_of_consent_are_read() {
        for (name, wanted) in [
            ("subscribed_to_emails", Reading::Consent),
            ("Subscribed", Reading::Consent),
            ("Accepts Email Marketing", Reading::Consent),
            ("Accepts Marketing", Reading::Consent),
            ("Email Marketing Consent", Reading::Consent),
            ("Email subscriber status", Reading::Consent),
            ("Subscription Status", Reading::Consent),
            ("Opt-In", Reading::Consent),
            ("Newsletter", Reading::Consent),
            ("Einwilligung", Reading::Consent),
            ("enabled", Reading::Consent),
            ("Active", Reading::Consent),
            ("Status", Reading::Status),
            ("Email Status", Reading::Status),
            ("list_status", Reading::Status),
            ("Patron Status", Reading::Status),
            ("type", Reading::Kind),
            ("Consent Date", Reading::ConsentDate),
            ("Email Marketing Consent Timestamp", Reading::ConsentDate),
            ("confirmed", Reading::Confirmed),
            ("Double Opt-In", Reading::Confirmed),
            ("DOI", Reading::Confirmed),
            ("confirmed_at", Reading::Confirmed),
            ("email_verified", Reading::Confirmed),
        ] {
            assert_eq!(Column::of_name(name), consent(wanted), "{name}");
        }
    }

    #[test]
    fn what_seems_to_be_about_consent_and_is_not_certain_is_unclear() {
        for name in [
            "Consent level",
            "marketing_segment",
            "Email Permissions granted by partner",
            "Newsletter frequency",
            "unsubscribed from SMS and email digest",
            "Cancelled",
            "Deliverability",
            "Do-not-disturb status",
            "Kündigung Zeitschrift",
            "GDPR basis",
            "Opt",
            "Block",
            "Notifications",
            "not subscribed",
            "Send status",
        ] {
            assert_eq!(Column::of_name(name), Column::Unclear, "{name}");
        }
    }

    #[test]
    fn other_columns_are_left_alone() {
        for name in [
            "Phone",
            "id",
            "note",
            "complimentary_plan",
            "stripe_customer_id",
            "labels",
            "tiers",
            "uuid",
            "attributes",
            "updated_at",
            "MEMBER_RATING",
            "OPTIN_IP",
            "CONFIRM_TIME",
            "CONFIRM_IP",
            "LAST_CHANGED",
            "LEID",
            "EUID",
            "NOTES",
            "TIMEZONE",
            "CC",
            "REGION",
            "active_subscription",
            "expiry",
            "plan",
            "first_payment_at",
            "Subscription Tier",
            "External ID",
            "Data",
            "referrer_url",
            "metadata",
            "source",
            "Accepts SMS Marketing",
            "Last Charge Status",
            "Follows You",
            "Lifetime Amount",
            "Birthday",
            "Company",
            "Middle Name",
            "Option",
            "Description",
            "Total Spent",
            "Address",
            "State/Province",
            "Billing State",
            "Lead Status",
            "Unsubscribe link",
            "Preferred language",
            "Subscription Source",
            "Consent IP",
            "Occupation",
            "Adoption",
        ] {
            assert_eq!(Column::of_name(name), Column::Other, "{name}");
        }
    }

    #[test]
    fn columns_of_people_are_known_in_many_languages() {
        for (wanted, names) in [
            (
                Column::Email,
                &[
                    "E-Mail-Adresse",
                    "Adresse e-mail",
                    "Correo electrónico",
                    "电子邮箱",
                    "メールアドレス",
                    "E-postadress",
                ][..],
            ),
            (
                Column::FirstName,
                &["Vorname", "Pre\u{301}nom", "FNAME", "Nombre", "First Name"],
            ),
            (
                Column::LastName,
                &["Nachname", "NOM", "Apellidos", "LNAME", "姓"],
            ),
            (Column::FullName, &["Full Name", "姓名", "Nombre completo"]),
            (
                Column::Joined,
                &[
                    "created_at",
                    "OPTIN_TIME",
                    "creation_date",
                    "Date Subscribed",
                    "Subscriber Since",
                    "Patronage Since Date",
                    "Anmeldedatum",
                    "subscribedAt",
                ],
            ),
            (
                Column::Consent(Reading::Status),
                &["Statut", "Estado", "订阅状态", "Статус"],
            ),
        ] {
            for name in names {
                assert_eq!(Column::of_name(name), wanted, "{name}");
            }
        }
    }

    #[test]
    fn a_no_counts_in_columns_about_mail_alone() {
        for name in [
            "Email updates",
            "OK to email",
            "can_contact",
            "Offers by mail",
        ] {
            assert!(
                Column::of_name(name) == Column::Other && is_about_mail(name),
                "{name}"
            );
        }
        for name in [
            "Welcome email sent",
            "Phone contact",
            "Vegetarian",
            "Last email",
        ] {
            assert!(!is_about_mail(name), "{name}");
        }
    }

    #[test]
    fn the_name_of_a_file_may_say_that_all_in_it_are_gone() {
        for (stem, of_mailchimp, wanted) in [
            (
                "unsubscribed_email_audience_export_1a2b",
                false,
                FileName::Everybody(Unsubscribed),
            ),
            (
                "unsubscribed_members_export_1a2b",
                false,
                FileName::Everybody(Unsubscribed),
            ),
            (
                "cleaned_email_audience_export_1a2b",
                false,
                FileName::Everybody(Bounced),
            ),
            ("cleaned", true, FileName::Everybody(Bounced)),
            ("cleaned", false, FileName::Suspect),
            ("old-unsubscribed", false, FileName::Suspect),
            ("Opt-Outs", false, FileName::Suspect),
            (
                "nonsubscribed_email_audience_export_1a2b",
                false,
                FileName::Suspect,
            ),
            (
                "subscribed_email_audience_export_1a2b",
                true,
                FileName::Nothing,
            ),
            ("people-without-bounces", false, FileName::Nothing),
            ("people", false, FileName::Nothing),
        ] {
            assert_eq!(FileName::of(stem, of_mailchimp), wanted, "{stem}");
        }
    }
}
