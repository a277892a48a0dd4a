//! Jobs for the tests of this room.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::{Job, Letter};
use crate::mail::{Stream, Template};
use crate::model::delivery::{MailKey, State};
use crate::model::{Address, IssueId, ListId, Rendered, SubscriberId};
use crate::store::deliveries::Candidate;

/// What all these jobs share.
pub(crate) fn letter() -> Arc<Letter> {
    static LETTER: OnceLock<Arc<Letter>> = OnceLock::new();
    let make = || {
        let list = &crate::config::defaults().lists[0];
        let nothing = Rendered::empty();
        let template = Template::new(&nothing, list, Stream::Issue { seed: "test" });
        Arc::new(Letter {
            template,
            from: list.from.address.clone(),
            bounce: None,
        })
    };
    LETTER.get_or_init(make).clone()
}

/// A mail of the first issue to a person at a domain.
pub(crate) fn job(person: i64, domain: &str) -> Job {
    let who = SubscriberId(person);
    let candidate = Candidate {
        key: MailKey::Issue(IssueId(1), who),
        list: ListId(1),
        subscriber: who,
        email: Address::trusted(format!("reader{person}@{domain}")),
        name: String::new(),
        since: Timestamp::UNIX_EPOCH,
        from: State::Queued,
        attempt: 0,
        first_at: None,
    };
    Job::new(candidate, letter())
}
