//! `subscribers show`: one person with everything that is known of them.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;

use crate::config::Settings;
use crate::model::Address;
use crate::model::subscription::{ConsentMethod, SubscriptionState};
use crate::operate::subscribers::{self, Profile};
use crate::store::system_mails::SystemMailRow;

use super::super::ledger::fact;
use super::super::{Answer, Context, Outcome};
use super::list::Person;

#[derive(Serialize)]
struct ProfileLine<'a> {
    #[serde(flatten)]
    person: Person<'a>,
    history: Vec<serde_json::Value>,
    mails: Vec<serde_json::Value>,
    suppressed: Option<serde_json::Value>,
}

pub(super) async fn run(email: &Address, context: &Context, settings: &Settings) -> Outcome {
    let store = context.store(settings).await?;
    let shown = subscribers::profile(&store, email).await?;
    if context.json() {
        context.print_json(&line(&shown))?;
    } else {
        let zone = settings
            .lists
            .first()
            .map_or(TimeZone::UTC, |list| list.zone.clone());
        context.print(words(&shown, &zone).trim_end())?;
    }
    Ok(Answer::Done)
}

fn line(shown: &Profile) -> ProfileLine<'_> {
    let state = shown
        .person
        .state(None)
        .unwrap_or(SubscriptionState::Unsubscribed);
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let history = shown.history.iter().map(|row| {
        json!({
            "list": row.list, "at": row.at.to_string(), "event": row.event, "how": row.how, "network": row.network,
        })
    });
    let mails = shown.mails.iter().map(|mail| {
        json!({
            "kind": mail.kind, "list": mail.list, "state": mail.state.word(), "attempts": mail.attempts,
            "code": mail.code, "reply": mail.reply, "queued_at": mail.queued_at.to_string(),
            "at": time(mail.at), "next_at": time(mail.next_at),
        })
    });
    ProfileLine {
        person: Person::of(&shown.person, state),
        history: history.collect(),
        mails: mails.collect(),
        suppressed: shown
            .suppressed
            .as_ref()
            .map(|(why, at)| json!({ "reason": why, "at": at.to_string() })),
    }
}

/// Facts first, then the past, oldest first.
fn words(shown: &Profile, zone: &TimeZone) -> String {
    let time = |at: Timestamp| {
        at.to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M %Z")
            .to_string()
    };
    let person = &shown.person;
    let mut out = format!("{}\n\n", person.email);
    let mut put = |word: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&fact(word, value));
            out.push('\n');
        }
    };
    put("name", &person.name);
    put("tags", &person.tags.join(", "));
    put("joined", &time(person.joined_at));
    for place in &person.subscriptions {
        put(&place.list, place.state.word());
    }
    if let Some((why, at)) = &shown.suppressed {
        put("suppressed", &format!("since {}: {why}", time(*at)));
    }
    if !shown.history.is_empty() {
        out.push('\n');
    }
    for row in &shown.history {
        let network = row
            .network
            .as_ref()
            .map_or(String::new(), |network| format!(", {network}"));
        // “Imported by import” would say it twice.
        let how = if row.how == ConsentMethod::Import.word() {
            String::new()
        } else {
            format!(" by {}", row.how)
        };
        let _ = writeln!(
            out,
            "  {}  {} {}{how}{network}",
            time(row.at),
            row.list,
            row.event
        );
    }
    if !shown.mails.is_empty() {
        out.push('\n');
    }
    for mail in &shown.mails {
        let _ = writeln!(
            out,
            "  {}  {} mail for {}: {}{}",
            time(mail.at.unwrap_or(mail.queued_at)),
            mail.kind,
            mail.list,
            mail.state.word(),
            fate(mail, &time)
        );
    }
    out
}

/// What the server said, and what happens next, where there is something to say.
fn fate(mail: &SystemMailRow, time: &impl Fn(Timestamp) -> String) -> String {
    let reply = mail
        .reply
        .as_ref()
        .map_or(String::new(), |reply| format!(", {reply}"));
    let next = mail
        .next_at
        .map_or(String::new(), |at| format!("; next try {}", time(at)));
    format!("{reply}{next}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SubscriberId;
    use crate::model::delivery::State;
    use crate::model::subscriber::{Subscriber, Subscription};
    use crate::store::subscribers::ConsentRow;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn mei() -> Profile {
        let person = Subscriber {
            id: SubscriberId(1),
            email: Address::parse("mei@example.com").unwrap(),
            name: "Mei".into(),
            tags: vec!["ml".into(), "vip".into()],
            subscriptions: vec![Subscription {
                list: "weekly".into(),
                state: SubscriptionState::Pending,
            }],
            joined_at: at("2026-11-24T07:00:00Z"),
        };
        let history = vec![ConsentRow {
            list: "weekly".into(),
            at: at("2026-11-24T07:00:00Z"),
            event: "asked".into(),
            how: "form".into(),
            network: Some("192.0.2.0/24".into()),
        }];
        let mails = vec![SystemMailRow {
            kind: "confirm".into(),
            list: "weekly".into(),
            state: State::Deferred,
            attempts: 1,
            queued_at: at("2026-11-24T07:00:00Z"),
            at: Some(at("2026-11-24T07:00:01Z")),
            next_at: Some(at("2026-11-24T07:05:01Z")),
            code: Some(451),
            reply: Some("451 4.7.1 greylisted".into()),
        }];
        Profile {
            person,
            history,
            mails,
            suppressed: None,
        }
    }

    #[test]
    fn a_person_is_shown_with_their_past() {
        assert_eq!(
            words(&mei(), &TimeZone::UTC),
            "mei@example.com\n\n\
             \x20 name         Mei\n\
             \x20 tags         ml, vip\n\
             \x20 joined       2026-11-24 07:00 UTC\n\
             \x20 weekly       pending\n\n\
             \x20 2026-11-24 07:00 UTC  weekly asked by form, 192.0.2.0/24\n\n\
             \x20 2026-11-24 07:00 UTC  confirm mail for weekly: deferred, 451 4.7.1 greylisted; next try 2026-11-24 07:05 UTC\n"
        );
    }

    #[test]
    fn scripts_read_the_same() {
        let shown = mei();
        let line = serde_json::to_value(line(&shown)).unwrap();
        assert_eq!(line["state"], "pending");
        assert_eq!(line["history"][0]["event"], "asked");
        assert_eq!(
            (&line["mails"][0]["state"], &line["mails"][0]["code"]),
            (&json!("deferred"), &json!(451))
        );
        assert!(line["suppressed"].is_null());
    }
}
