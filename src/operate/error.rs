//! Why an operation was not done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{Timestamp, Zoned};

use crate::mail::dkim::keys::KeyError;
use crate::model::Address;
use crate::model::sending::IssueState;
use crate::model::subscription::SubscriptionState;
use crate::store::StoreError;

use super::name::IssueName;

/// Why an operation was not done: it may not be done, or the database could not be used.
#[derive(Debug)]
pub(crate) enum Error {
    /// It may not be done. Unless the refusal says otherwise, nothing was changed.
    Refused(Refusal),
    /// The database could not be read or written.
    Store(StoreError),
    /// A DKIM key could not be made, read or written.
    Dkim(KeyError),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Dkim(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What somebody asked for that may not be done, with what is needed to explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The settings have no relay to send by.
    NoRelay,
    /// The settings have no public URL, which every link in a mail begins with.
    NoPublicUrl,
    /// Only this machine can open the public URL, and a relay sends to others.
    LocalPublicUrl {
        /// The public URL of the settings.
        url: String,
        /// The host of a relay on another machine.
        relay: String,
    },
    /// No daemon sends from this database, so there is nothing to wait for.
    NoDaemon {
        /// The database's file.
        database: PathBuf,
    },
    /// There is no list of this key.
    NoSuchList {
        /// What was asked for.
        key: String,
        /// The keys that there are, sorted.
        known: Vec<String>,
    },
    /// No queued issue has this number, slug or file.
    NoSuchIssue {
        /// What was asked for.
        text: String,
        /// The slugs of the issues that were queued last, newest first.
        last: Vec<String>,
        /// The database that was searched.
        database: PathBuf,
    },
    /// Several lists have such an issue.
    InSeveralLists {
        /// What was asked for.
        text: String,
        /// The keys of two of the lists.
        lists: [String; 2],
    },
    /// It is the number of one issue and the slug of another.
    NumberAndSlug {
        /// What was asked for.
        text: String,
        /// The slugs of the two issues.
        slugs: [String; 2],
    },
    /// The issue was replaced or deleted meanwhile.
    Gone {
        /// The issue that was there.
        issue: IssueName,
    },
    /// The time to send at has passed.
    TimePassed {
        /// The time that was asked for, in the list's zone.
        at: Zoned,
    },
    /// The list has no active subscriber, so an issue that goes out now would reach nobody.
    NobodyActive {
        /// The issue that was to be sent.
        issue: IssueName,
        /// The list's key.
        list: String,
    },
    /// The issue is scheduled already, and replacing it was not asked for.
    AlreadyScheduled {
        /// The issue that is scheduled.
        issue: IssueName,
        /// When it is due, in the list's zone.
        due_at: Zoned,
    },
    /// The issue was sent, or its sending has begun; nobody gets it twice.
    AlreadySent {
        /// The issue that was queued before.
        issue: IssueName,
        /// Where it stands.
        state: IssueState,
        /// When its sending ended, or else began, in the list's zone.
        at: Zoned,
    },
    /// Another process queued the issue at the same moment.
    QueuedMeanwhile {
        /// The issue that was to be queued.
        issue: IssueName,
    },
    /// The issue has no content, since its file could not be rendered when it was due.
    NeverRendered {
        /// The issue that is held.
        issue: IssueName,
        /// The author's file.
        file: PathBuf,
    },
    /// The issue is in a state from which this can't be done.
    NotPossible {
        /// The issue as it was found.
        issue: IssueName,
        /// Its state.
        state: IssueState,
        /// What was to be done.
        action: Action,
    },
    /// The rows of the issue's recipients were dropped, so that nobody knows any more who got it.
    Pruned {
        /// The issue.
        issue: IssueName,
        /// When they were dropped.
        at: Timestamp,
    },
    /// The issue left the state in which it can be retried while mails were being queued again.
    Interrupted {
        /// The issue.
        issue: IssueName,
        /// Its state now.
        state: IssueState,
        /// How many mails had been queued again by then; they stay queued.
        queued: u64,
    },
    /// Nobody has this address, or nobody of this address is on the list.
    NoSuchSubscriber {
        /// The address.
        email: Address,
        /// The list's key, if one was named.
        list: Option<String>,
    },
    /// The person unsubscribed, or mail to the address failed; only they themselves can come back.
    HasLeft {
        /// The address.
        email: Address,
        /// The list's key.
        list: String,
        /// The state of the subscription.
        state: SubscriptionState,
        /// Since when, in the list's zone.
        since: Zoned,
    },
    /// There is no relay of this name, and it is not a domain.
    NoSuchRate {
        /// What was asked for.
        name: String,
        /// The names of the relays.
        relays: Vec<String>,
    },
    /// There is no pair of DKIM keys of this stem.
    NoSuchDkimPair {
        /// What was asked for.
        stem: String,
        /// The folder of the keys.
        folder: PathBuf,
        /// The stems that there are, with the domains that have such a pair.
        known: BTreeMap<String, Vec<String>>,
    },
    /// The domain has no pair of DKIM keys.
    NoDkimPairs {
        /// The domain.
        domain: String,
        /// The folder of the keys.
        folder: PathBuf,
        /// The domains that have one, sorted.
        known: Vec<String>,
    },
    /// Several domains have a pair of DKIM keys of this stem.
    SeveralDkimPairs {
        /// What was asked for.
        stem: String,
        /// The domains.
        domains: Vec<String>,
    },
}

/// What may be done to an issue that was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Stop sending it until it is resumed.
    Pause,
    /// Go on with one that is paused or held.
    Resume,
    /// Withdraw what has not gone out.
    Cancel,
    /// Queue mails again that have failed or are uncertain.
    Retry,
}
