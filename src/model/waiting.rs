//! Why an issue waits, is paused or is held, as a value.
//!
//! The database holds it as JSON beside the state. Making a sentence of it is left to `format::reason`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rate::RateSource;
use super::reply::Step;

/// Why an issue waits, is paused or is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Somebody paused it.
    PausedByUser {
        /// The name of the account that ran the command.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The refusal streak breaker paused it: so many people in a row were refused alike.
    RefusedInARow {
        /// How many.
        people: u64,
        /// The server's last reply.
        reply: String,
    },
    /// The failure rate breaker paused it: too large a share of the last replies are failures.
    TooManyFailures {
        /// How many replies were counted.
        replies: u64,
        /// How many of them are failures.
        failures: u64,
        /// Whether the failures are temporary; otherwise they are permanent.
        temporary: bool,
        /// The provider whose replies these are; `None`: of all providers together.
        provider: Option<String>,
        /// The most frequent reply.
        reply: String,
    },
    /// The relay can't be used as the settings have it.
    RelayFault {
        /// What is wrong.
        fault: RelayFault,
    },
    /// The settings do not name the list any more.
    ListMissing {
        /// The list's key.
        list: String,
    },
    /// Its mails can't be signed.
    CannotSign {
        /// What is wrong with the keys.
        why: String,
    },
    /// What was stored of it can't be read.
    CannotRead {
        /// What is wrong.
        why: String,
    },
    /// It was due so long ago that the author decides.
    Late {
        /// When it was due.
        due_at: Timestamp,
    },
    /// Its list's schedule fired so long ago that the author decides.
    LateSchedule {
        /// When it fired.
        fired_at: Timestamp,
    },
    /// Its file has an error.
    FileError {
        /// The file, and the line where it is known.
        place: String,
        /// The error.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// It could not be rendered.
    CannotRender {
        /// What is wrong.
        why: String,
    },
    /// A relay backs off.
    BacksOff {
        /// What went wrong.
        fault: RelayFault,
        /// The relay's name where other relays continue; `None`: all back off.
        relay: Option<String>,
        /// When the relay is tried again.
        until: Timestamp,
    },
    /// A relay has sent as many mails as it may in a day.
    DailyLimit {
        /// The relay's name.
        relay: String,
        /// The server's reply.
        reply: String,
        /// When its next day begins.
        until: Timestamp,
        /// Whether other relays continue.
        others_continue: bool,
    },
    /// A provider refuses us: its people wait, and the rest goes on. It pauses the issue when nobody else is left.
    ProviderRefuses {
        /// The provider.
        provider: String,
        /// How many people wait for it.
        people: u64,
        /// How many other providers refuse us as well.
        others: u64,
        /// What was replied, and what the author can do.
        fault: RelayFault,
    },
    /// A server has been silent for some time.
    Silent {
        /// What is waited for.
        waiting_for: WaitingFor,
        /// The relay's name.
        relay: String,
        /// The server, as `host:port`.
        at: String,
        /// Whether other relays continue.
        others_continue: bool,
    },
    /// The relays' warm-up lets nothing more through today.
    WarmupQuotaUsed {
        /// The name of the relay that continues first.
        relay: String,
        /// What it sent today.
        sent: u64,
        /// When its next day begins.
        until: Timestamp,
    },
    /// The relays' rate limits hold it up.
    RelayRates {
        /// Each relay's limit; never empty.
        relays: Vec<RateLimited>,
        /// An estimate of when the rest will have gone.
        until: Option<Timestamp>,
    },
    /// A provider's rate limit holds it up.
    ProviderRate {
        /// The provider, and its limit.
        provider: RateLimited,
        /// How many other providers hold it up as well.
        others: u64,
        /// An estimate of when the rest will have gone.
        until: Option<Timestamp>,
    },
    /// A provider's limit of concurrent mails holds it up.
    ProviderConnections {
        /// The provider.
        provider: String,
        /// The most mails at once.
        connections: u64,
        /// How many other providers hold it up as well.
        others: u64,
    },
    /// It is outside the hours in which it may be sent.
    SendingHours {
        /// When they begin.
        from: Timestamp,
    },
    /// The pause between two batches.
    BatchPause {
        /// When it ends.
        until: Timestamp,
    },
    /// Everybody left is deferred.
    Deferred {
        /// How many.
        people: u64,
        /// The next try.
        next_at: Timestamp,
    },
    /// No daemon runs that could send it.
    NoDaemon,
    /// The database is a copy, and the issue was not over in it: it may have gone out since.
    Restored {
        /// When the copy was made, or the last time that it knows of.
        as_of: Option<Timestamp>,
    },
    /// Its list's schedule fired after the database was restored: the issue may have gone out before.
    RestoredSchedule {
        /// When it fired.
        fired_at: Timestamp,
    },
    /// The daemon can't write the database.
    CannotWrite {
        /// What is wrong.
        why: String,
    },
    /// A sentence that an earlier version stored.
    Text {
        /// The sentence.
        text: String,
    },
}

impl Reason {
    /// Without its estimate, so that two are alike where nothing but the estimate differs.
    pub fn without_estimate(&self) -> Reason {
        let mut fixed = self.clone();
        if let Reason::RelayRates { until, .. } | Reason::ProviderRate { until, .. } = &mut fixed {
            *until = None;
        }
        fixed
    }

    /// Whether the issue is held since the database is a copy: it may have gone out since that was made.
    pub fn is_restored(&self) -> bool {
        matches!(
            self,
            Reason::Restored { .. } | Reason::RestoredSchedule { .. }
        )
    }

    /// As the database holds it: JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what the database holds; anything but JSON of this version is [`Reason::Text`].
    pub fn from_stored(stored: &str) -> Reason {
        serde_json::from_str(stored).unwrap_or_else(|_| Reason::Text {
            text: stored.to_owned(),
        })
    }
}

/// What is wrong with a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayFault {
    /// The relay, as `host:port`.
    pub at: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub problem: RelayProblem,
}

/// What can be wrong with a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum RelayProblem {
    /// It can't be reached, or the connection broke before it was ready.
    Unreachable {
        /// Why.
        cause: String,
    },
    /// It rejects a command.
    Rejected {
        /// What it replied to.
        step: Step,
        /// The whole reply on one line.
        reply: String,
        /// What the author can do; `None` where waiting helps.
        remedy: Option<Remedy>,
    },
    /// The connection broke before a mail.
    LostBeforeMail {
        /// Why.
        cause: String,
    },
    /// The connection broke while a mail was being sent.
    LostDuringMail {
        /// Why.
        cause: String,
    },
    /// It waits for TLS from the first byte, and the settings have us wait for its greeting.
    SpeaksTls,
    /// It speaks clear text first, and the settings want TLS from the first byte.
    SpeaksClearText,
    /// It offers no STARTTLS, which the settings ask for.
    NoStarttls,
    /// The password would go to another machine in clear text.
    ClearTextLogin,
    /// It asks for the login in an unknown way.
    UnknownChallenge,
    /// It offers no known way to log in.
    NoLogin,
    /// The file with the password can't be used.
    PasswordFile {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// TLS can't be set up on this machine.
    TlsSetup {
        /// Why.
        cause: String,
    },
    /// It lacks SMTPUTF8, which the sender's address needs (RFC 6531).
    SenderNeedsUtf8,
}

/// What the author can do about a rejection that is not a person's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The server asks for TLS first.
    UseTls,
    /// The login is wrong or missing.
    CheckLogin,
    /// The server knows no EHLO, which STARTTLS and a login need.
    KnowsNoEhlo,
    /// The server refuses the name given in EHLO.
    SetEhloName,
    /// The server does not serve this machine.
    NotServed,
    /// The server rejects STARTTLS.
    CheckTls,
    /// The issue is too large.
    Shorten,
    /// The server has no room for this sender's mails.
    NoRoom,
    /// The server rejects the sender's address.
    CheckSender,
    /// The mails that may be sent in a day are used up.
    WaitForNextDay,
    /// A rate, a quota or the account itself is limited.
    RaiseLimit,
    /// The sender's network or domain is on a block list, or has a bad reputation.
    RestoreReputation,
    /// SPF, DKIM or DMARC fails.
    Authenticate,
    /// The mail's content or size is refused.
    ChangeContent,
    /// Nothing better is known.
    AskOperator,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// TCP, and TLS where the connection begins with it.
    Connection,
    /// The server's greeting.
    Greeting,
    /// The reply to a command or a mail.
    Reply,
}

/// Whom a rate limit is about, and which one holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimited {
    /// The relay or the provider.
    pub name: String,
    /// Messages per minute, rounded as people read them: below ten to a tenth, else to a whole number.
    pub per_minute: f64,
    /// Where the limit comes from.
    pub source: RateSource,
}

impl RateLimited {
    /// With the rate rounded.
    pub fn new(name: impl Into<String>, per_minute: f64, source: RateSource) -> RateLimited {
        let is_exact = per_minute < 10.0;
        RateLimited {
            name: name.into(),
            per_minute: if is_exact {
                (per_minute * 10.0).round() / 10.0
            } else {
                per_minute.round()
            },
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_as_it_was() {
        let at: Timestamp = "2026-07-01T08:00:00.123Z".parse().unwrap();
        let fault = RelayFault {
            at: "smtp.example:25".into(),
            problem: RelayProblem::Rejected {
                step: Step::Rcpt,
                reply: "550 5.7.1 “no”".into(),
                remedy: Some(Remedy::AskOperator),
            },
        };
        let limited = RateLimited::new("main", 2.517, RateSource::Adaptive);
        for reason in [
            Reason::PausedByUser {
                by: "anna".into(),
                at,
            },
            Reason::RelayFault {
                fault: fault.clone(),
            },
            Reason::BacksOff {
                fault,
                relay: None,
                until: at,
            },
            Reason::RelayRates {
                relays: vec![limited.clone(); 2],
                until: Some(at),
            },
            Reason::ProviderRate {
                provider: limited,
                others: 3,
                until: None,
            },
            Reason::NoDaemon,
            Reason::Restored { as_of: Some(at) },
            Reason::RestoredSchedule { fired_at: at },
            Reason::Text {
                text: "{\"kind\":\"no_daemon\"}".into(),
            },
        ] {
            let stored = reason.to_json();
            assert_eq!(Reason::from_stored(&stored), reason, "{stored}");
        }
    }

    #[test]
    fn a_sentence_of_an_earlier_version_stays_one() {
        for text in [
            "the relay rests until 2026-07-01T08:00:00Z",
            "",
            "{",
            "{}",
            "null",
            "7",
        ] {
            let text = text.to_owned();
            assert_eq!(Reason::from_stored(&text), Reason::Text { text });
        }
    }
}
