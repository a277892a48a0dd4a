//! Mails and issues for the tests of this room.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::ready_queue::{Job, Mailing};
use crate::mail::{Stream, Template};
use crate::model::delivery::{MailKey, State};
use crate::model::{Address, IssueId, ListId, Rendered, SubscriberId};
use crate::store::Store;
use crate::store::deliveries::Candidate;
use crate::store::fanout::FanOut;
use crate::store::issues::Queueing;
use crate::store::testing::{address, consent, hours, new_issue, t};

/// What all these jobs share.
pub(crate) fn mailing() -> Arc<Mailing> {
    static MAILING: OnceLock<Arc<Mailing>> = OnceLock::new();
    let make = || {
        let list = &crate::config::defaults().lists[0];
        let nothing = Rendered::empty();
        let template = Template::new(&nothing, list, Stream::Issue { seed: "test" });
        Arc::new(Mailing {
            name: "022".into(),
            template,
            from: list.from.address.clone(),
            bounce: None,
        })
    };
    MAILING.get_or_init(make).clone()
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
    Job::new(candidate, mailing())
}

/// An issue to these people, whose audience is complete.
pub(crate) async fn under_way(store: &Store, list: ListId, people: Vec<String>) -> IssueId {
    for person in people {
        store
            .add(list, &address(&person), "", consent())
            .await
            .unwrap();
    }
    let Queueing::Queued(issue) = store.queue_issue(new_issue(list, "001", 1)).await.unwrap()
    else {
        panic!("it is new")
    };
    store.start_due(t(1), hours(6)).await.unwrap();
    while store.fan_out(issue).await.unwrap() == FanOut::Partial {}
    issue
}
