//! The one place that makes sentences of why an issue waits, is paused or is held.
//!
//! English, for the command line, the log, the pages and JSON. `Display` writes times in UTC, as scripts read them;
//! [`Reason::in_zone`] as the clocks of a list show them.

use std::fmt::{self, Display};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{count, people};
use crate::model::rate::RateSource;
use crate::model::waiting::{RateLimited, Reason, RelayFault, RelayProblem, Remedy, WaitingFor};

/// A moment on the clocks of a zone, with the zone's abbreviation, such as `2026-11-26 00:30 CET`.
pub(crate) fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M %Z")
        .to_string()
}

impl Reason {
    /// As a sentence without a full stop, with times on the clocks of a zone.
    pub(crate) fn in_zone(&self, zone: &TimeZone) -> String {
        sentence(self, &|at| local_time(at, zone))
    }
}

impl Display for Reason {
    /// As a sentence without a full stop, with times in UTC, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sentence(self, &|at| format!("{at:.0}")))
    }
}

fn sentence(reason: &Reason, time: &dyn Fn(Timestamp) -> String) -> String {
    match reason {
        Reason::PausedByUser { by, at } => {
            format!("paused by {by} with “letterpress pause” at {}", time(*at))
        }
        Reason::RefusedInARow { people, reply } => format!(
            "{people} people in a row were refused with “{reply}”, so the refusal is about every mail: fix what it names, then resume"
        ),
        Reason::TooManyFailures { .. } => too_many_failures(reason),
        Reason::RelayFault { fault } => fault.to_string(),
        Reason::ProviderRefuses { .. } => provider_refuses(reason),
        Reason::ListMissing { list } => {
            format!("the settings no longer have the list “{list}”: put it back, then resume")
        }
        Reason::CannotSign { why }
        | Reason::CannotRead { why }
        | Reason::CannotRender { why }
        | Reason::Text { text: why } => why.clone(),
        Reason::Late { due_at } => late(&format!("it was due at {}", time(*due_at))),
        Reason::LateSchedule { fired_at } => {
            late(&format!("its list's schedule fired at {}", time(*fired_at)))
        }
        Reason::FileError {
            place,
            message,
            help,
        } => format!("{place}: {message}. {help}"),
        Reason::Restored { as_of } => restored(&match as_of {
            Some(at) => format!("the database is a copy as of {}", time(*at)),
            None => "the database is a copy".to_owned(),
        }),
        Reason::RestoredSchedule { fired_at } => restored(&format!(
            "its list's schedule fired at {}, and the database is a copy",
            time(*fired_at)
        )),
        Reason::CannotWrite { why } => format!("the database can't be written: {why}"),
        Reason::NoDaemon => "no daemon runs; it continues when `letterpress serve` does".to_owned(),
        _ => wait(reason, time),
    }
}

/// What passes by itself.
fn wait(reason: &Reason, time: &dyn Fn(Timestamp) -> String) -> String {
    let until = |at: &Option<Timestamp>| {
        at.map_or_else(String::new, |at| format!(", until about {}", time(at)))
    };
    match reason {
        Reason::BacksOff {
            fault,
            relay: None,
            until,
        } => format!("{fault}; the relay backs off until {}", time(*until)),
        Reason::BacksOff {
            fault,
            relay: Some(relay),
            until,
        } => format!(
            "{fault}; the relay {relay} backs off until {}, the others continue",
            time(*until)
        ),
        Reason::DailyLimit {
            relay,
            reply,
            until,
            others_continue,
        } => format!(
            "the relay {relay} has reached its daily limit (“{reply}”) and continues at {}{}",
            time(*until),
            if *others_continue {
                ", the others continue"
            } else {
                ""
            }
        ),
        Reason::Silent {
            waiting_for,
            relay,
            at,
            others_continue,
        } => format!(
            "waits for {} the relay {relay} ({at}){}{}",
            awaited(*waiting_for),
            cause(*waiting_for),
            if *others_continue {
                ", the others continue"
            } else {
                ""
            }
        ),
        Reason::WarmupQuotaUsed { relay, sent, until } => format!(
            "the relay {relay} is being warmed up: it sent {} mails today and continues at {}",
            count(*sent),
            time(*until)
        ),
        Reason::RelayRates { relays, until: at } => format!("{}{}", of_relays(relays), until(at)),
        Reason::ProviderRate {
            provider,
            others,
            until: at,
        } => format!(
            "{} gets no more than {} a minute{}{}{}",
            provider.name,
            rate(provider.per_minute),
            why(provider.source),
            other_providers(*others),
            until(at)
        ),
        Reason::ProviderConnections {
            provider,
            connections,
            others,
        } => format!(
            "{provider} gets no more than {connections} at once{}",
            other_providers(*others)
        ),
        Reason::SendingHours { from } => format!("its sending hours begin at {}", time(*from)),
        Reason::BatchPause { until } => format!("pause between two batches until {}", time(*until)),
        Reason::Deferred { people: n, next_at } => format!(
            "{} deferred; the next try is at {}",
            people(*n),
            time(*next_at)
        ),
        _ => String::new(),
    }
}

fn too_many_failures(reason: &Reason) -> String {
    let Reason::TooManyFailures {
        replies,
        failures,
        temporary,
        provider,
        reply,
    } = reason
    else {
        return String::new();
    };
    let of = provider
        .as_ref()
        .map_or_else(String::new, |provider| format!(" for {provider}"));
    let kind = if *temporary { "temporary" } else { "permanent" };
    format!(
        "too many failures: of the last {} replies{of}, {} ({} %) are {kind} failures, most often “{reply}”; find out why, then resume",
        count(*replies),
        count(*failures),
        failures * 100 / (*replies).max(1)
    )
}

fn provider_refuses(reason: &Reason) -> String {
    let Reason::ProviderRefuses {
        provider,
        people: waiting,
        others,
        fault,
    } = reason
    else {
        return String::new();
    };
    let others = match others {
        0 => String::new(),
        1 => " and another provider".to_owned(),
        others => format!(" and {} other providers", count(*others)),
    };
    let refuse = if others.is_empty() {
        "refuses"
    } else {
        "refuse"
    };
    format!(
        "{provider}{others} {refuse} your mails, so {} must wait: {fault}; fix that, then resume",
        people(*waiting)
    )
}

fn late(what: &str) -> String {
    format!(
        "{what}, when no daemon ran: `letterpress resume` sends it, `letterpress cancel` does not"
    )
}

fn restored(what: &str) -> String {
    format!(
        "{what}: this issue may have been sent since, so `letterpress resume` may send it twice; `letterpress cancel` sends nothing"
    )
}

fn awaited(waiting_for: WaitingFor) -> &'static str {
    match waiting_for {
        WaitingFor::Connection => "a connection to",
        WaitingFor::Greeting => "the greeting of",
        WaitingFor::Reply => "a reply from",
    }
}

/// The likely cause of a silence, where one is known. That the server waits for TLS was ruled out before.
fn cause(waiting_for: WaitingFor) -> &'static str {
    match waiting_for {
        WaitingFor::Greeting => {
            ": it accepts the connection and says nothing; check its host and port, and firewalls in between"
        }
        WaitingFor::Connection | WaitingFor::Reply => "",
    }
}

fn other_providers(others: u64) -> String {
    match others {
        0 => String::new(),
        1 => ", and another provider is limited".to_owned(),
        others => format!(", and {} other providers are limited", count(others)),
    }
}

/// What the relays' limits let through, and why.
fn of_relays(relays: &[RateLimited]) -> String {
    if let [relay] = relays {
        return format!(
            "the relay {} gets no more than {} messages a minute{}",
            relay.name,
            rate(relay.per_minute),
            why(relay.source)
        );
    }
    let reasons = relays.iter().filter_map(|relay| match relay.source {
        RateSource::Settings => None,
        RateSource::Adaptive => Some(format!("the relay {} complained of more", relay.name)),
        RateSource::Override => Some(format!("the author said so of the relay {}", relay.name)),
    });
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    let colon = if reasons.is_empty() { "" } else { ": " };
    let sum = relays.iter().map(|relay| relay.per_minute).sum();
    format!(
        "the relays together get no more than {} messages a minute{colon}{reasons}",
        rate(sum)
    )
}

/// Why a limit holds, where the settings do not say so.
fn why(source: RateSource) -> &'static str {
    match source {
        RateSource::Settings => "",
        RateSource::Adaptive => " since it complained of more",
        RateSource::Override => " as the author said",
    }
}

/// Messages a minute, with a decimal where they are few.
fn rate(per_minute: f64) -> String {
    if per_minute < 10.0 && per_minute.fract() > 0.05 {
        format!("{per_minute:.1}")
    } else {
        count(per_minute.round() as u64)
    }
}

impl Display for RelayFault {
    /// As a sentence without a full stop: what is wrong, where, and what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.at;
        match &self.problem {
            RelayProblem::Unreachable { cause } => write!(f, "{at} can't be reached: {cause}"),
            RelayProblem::Rejected {
                step,
                reply,
                remedy,
            } => {
                write!(f, "{at} answers {} with “{reply}”", step.word())?;
                remedy.map_or(Ok(()), |remedy| write!(f, ": {remedy}"))
            }
            RelayProblem::LostBeforeMail { cause } => {
                write!(f, "{at} lost the connection before a mail: {cause}")
            }
            RelayProblem::LostDuringMail { cause } => {
                write!(f, "{at} lost the connection while it took a mail: {cause}")
            }
            RelayProblem::SpeaksTls => write!(
                f,
                "{at} says nothing in clear text and answers in TLS: this port speaks TLS from the first byte, as port 465 does; set tls = \"implicit\" for the relay, or the port for STARTTLS (587)"
            ),
            RelayProblem::SpeaksClearText => write!(
                f,
                "{at} speaks clear text first, where tls = \"implicit\" expects TLS from the first byte: set tls = \"starttls\" for the relay, or the port for implicit TLS (465)"
            ),
            RelayProblem::PasswordFile { path, cause } => write!(
                f,
                "{at}: password_file {path} can't be read: {cause}; write the password into that file, then resume"
            ),
            RelayProblem::NoStarttls => write!(
                f,
                "{at} offers no STARTTLS, and nothing is sent in clear text: set port and tls of the relay to what it expects"
            ),
            RelayProblem::ClearTextLogin => write!(
                f,
                "{at}: the password would go out in clear text; set tls of the relay to starttls or implicit"
            ),
            RelayProblem::UnknownChallenge => write!(
                f,
                "{at}: the relay asks for the login in an unknown way; ask its operator how to log in"
            ),
            RelayProblem::NoLogin => write!(
                f,
                "{at}: it offers no login by PLAIN or LOGIN; unset username, or set tls and port to what it expects"
            ),
            RelayProblem::TlsSetup { cause } => write!(f, "{at}: {cause}"),
            RelayProblem::SenderNeedsUtf8 => write!(
                f,
                "{at} takes no address beyond ASCII (SMTPUTF8), and the sender's is one: set another `from` or `bounce_address`"
            ),
        }
    }
}

impl Display for Remedy {
    /// As an advice that follows a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Remedy::UseTls => {
                "the relay wants TLS first: set its tls to starttls, or to implicit with the port for that"
            }
            Remedy::CheckLogin => {
                "check username and password of the relay in the settings; a password_file is read again at each login, and a changed letterpress.toml takes effect once the daemon reloads it (systemctl reload letterpress, or kill -HUP)"
            }
            Remedy::KnowsNoEhlo => {
                "it knows no EHLO, without which there is neither STARTTLS nor a login: set tls and username to what it expects"
            }
            Remedy::SetEhloName => {
                "the relay may want a full name in EHLO: set its ehlo_name to a name of this machine in DNS, such as mail.your-domain"
            }
            Remedy::NotServed => {
                "the relay does not serve this machine: ask its operator, or set another relay"
            }
            Remedy::CheckTls => "the relay refuses TLS: check its port and tls in the settings",
            Remedy::Shorten => "shorten the issue, or have the relay's message size limit raised",
            Remedy::NoRoom => "the relay has no room for the sender's mails: ask its operator",
            Remedy::CheckSender => {
                "the relay refuses the sender: check from, and bounce_address if set, of the list"
            }
            Remedy::WaitForNextDay => "the mails of this day are used up, and tomorrow more may go",
            Remedy::RaiseLimit => {
                "it is about a limit of your account: ask the relay's operator, or send more slowly"
            }
            Remedy::RestoreReputation => {
                "it is about the reputation of your network or domain: have it taken off the block list"
            }
            Remedy::Authenticate => {
                "it is about the authentication of your mails: check SPF, DKIM and DMARC of the sender's domain"
            }
            Remedy::ChangeContent => {
                "it is about the mail itself: its size, its content or a policy that it meets"
            }
            Remedy::AskOperator => "ask the relay's operator what it means",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reply::Step;

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_on_the_lists_clocks_and_servers_are_quoted_word_for_word() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let until = t("2026-07-01T08:00:00Z");
        let fault = RelayFault {
            at: "smtp.example:25".into(),
            problem: RelayProblem::Rejected {
                step: Step::Mail,
                reply: "450 wait until 2026-07-01T08:00:00Z please".into(),
                remedy: None,
            },
        };
        let relay = Some("main".to_owned());
        let backs_off = Reason::BacksOff {
            fault,
            relay,
            until,
        };
        let said = "smtp.example:25 answers MAIL FROM with “450 wait until 2026-07-01T08:00:00Z please”; the relay main backs off until";
        assert_eq!(
            backs_off.to_string(),
            format!("{said} 2026-07-01T08:00:00Z, the others continue")
        );
        assert_eq!(
            backs_off.in_zone(&berlin),
            format!("{said} 2026-07-01 10:00 CEST, the others continue")
        );
        let paused = Reason::PausedByUser {
            by: "anna".into(),
            at: t("2026-11-27T15:04:05.678Z"),
        };
        assert_eq!(
            paused.to_string(),
            "paused by anna with “letterpress pause” at 2026-11-27T15:04:05Z"
        );
        assert_eq!(
            paused.in_zone(&berlin),
            "paused by anna with “letterpress pause” at 2026-11-27 16:04 CET"
        );
    }

    #[test]
    fn a_rate_is_told_with_whose_it_is() {
        let of = |relays: &[RateLimited]| {
            let relays = relays.to_vec();
            Reason::RelayRates {
                relays,
                until: None,
            }
            .to_string()
        };
        let set = RateLimited::new("main", 1200.0, RateSource::Settings);
        assert_eq!(
            of(std::slice::from_ref(&set)),
            "the relay main gets no more than 1,200 messages a minute"
        );
        let adaptive = RateLimited::new("main", 2.52, RateSource::Adaptive);
        assert_eq!(
            of(&[adaptive]),
            "the relay main gets no more than 2.5 messages a minute since it complained of more"
        );
        let word = RateLimited::new("second", 60.0, RateSource::Override);
        assert_eq!(
            of(&[set, word]),
            "the relays together get no more than 1,260 messages a minute: the author said so of the relay second"
        );
    }

    #[test]
    fn an_estimate_follows_who_else_is_limited() {
        let reason = Reason::ProviderRate {
            provider: RateLimited::new("gmail.com", 6.0, RateSource::Settings),
            others: 2,
            until: Some(t("2026-07-01T08:00:00Z")),
        };
        assert_eq!(
            reason.to_string(),
            "gmail.com gets no more than 6 a minute, and 2 other providers are limited, until about 2026-07-01T08:00:00Z"
        );
        assert_eq!(
            reason.without_estimate().to_string(),
            "gmail.com gets no more than 6 a minute, and 2 other providers are limited"
        );
    }

    #[test]
    fn who_waits_for_a_provider_or_a_day_is_told_why() {
        let fault = RelayFault {
            at: "smtp.example:25".into(),
            problem: RelayProblem::Rejected {
                step: Step::Content,
                reply: "550 5.7.26 unauthenticated".into(),
                remedy: Some(Remedy::Authenticate),
            },
        };
        let mut reason = Reason::ProviderRefuses {
            provider: "gmail.com".into(),
            people: 1_095,
            others: 0,
            fault,
        };
        let why = "must wait: smtp.example:25 answers the mail with “550 5.7.26 unauthenticated”: it is about the authentication of your mails: check SPF, DKIM and DMARC of the sender's domain; fix that, then resume";
        assert_eq!(
            reason.to_string(),
            format!("gmail.com refuses your mails, so 1,095 people {why}")
        );
        if let Reason::ProviderRefuses { others, .. } = &mut reason {
            *others = 2;
        }
        assert!(
            reason
                .to_string()
                .starts_with("gmail.com and 2 other providers refuse your mails")
        );
        let limit = Reason::DailyLimit {
            relay: "main".into(),
            reply: "550 5.4.5 Daily user sending limit exceeded".into(),
            until: t("2026-11-30T00:00:00Z"),
            others_continue: false,
        };
        assert_eq!(
            limit.to_string(),
            "the relay main has reached its daily limit (“550 5.4.5 Daily user sending limit exceeded”) and continues at 2026-11-30T00:00:00Z"
        );
    }

    #[test]
    fn failures_are_told_with_the_servers_words() {
        let reason = Reason::TooManyFailures {
            replies: 100,
            failures: 40,
            temporary: false,
            provider: Some("bad.example".into()),
            reply: "550 5.7.1 blocked".into(),
        };
        assert_eq!(
            reason.to_string(),
            "too many failures: of the last 100 replies for bad.example, 40 (40 %) are permanent failures, most often “550 5.7.1 blocked”; find out why, then resume"
        );
    }
}
