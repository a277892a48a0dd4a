//! The state machine of one mail to one person: states, events, and the table of moves.
//!
//! This is the only place that says which move is allowed. `store::commit_batch` and `store::steering` apply moves,
//! each conditional on the state and, while mails go out, on the attempt that owns the row; nothing else changes a state.

use serde::{Deserialize, Serialize};

use super::{IssueId, SubscriberId, SystemMailId};

/// Where one mail stands. Words are what people and scripts read; numbers are what the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum State {
    /// Planned, and not claimed by a connection.
    Queued = 0,
    /// Claimed: the intent is committed, the content may be on its way.
    Sending = 1,
    /// The next server took responsibility: 2xx after the end of DATA.
    Sent = 2,
    /// Refused for now; due again at `next_at`.
    Deferred = 3,
    /// Refused for good, or too old.
    Failed = 4,
    /// The person may have it: the answer after the end of DATA was never read (RFC 1047).
    Uncertain = 5,
    /// Withdrawn by the author before it went out.
    Cancelled = 6,
    /// The person left, or was suppressed, since the audience was fixed.
    Skipped = 7,
}

impl State {
    /// Every state, in the order of its number.
    pub const ALL: [State; 8] = [
        State::Queued,
        State::Sending,
        State::Sent,
        State::Deferred,
        State::Failed,
        State::Uncertain,
        State::Cancelled,
        State::Skipped,
    ];

    /// The word that people and scripts read.
    pub fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Sending => "sending",
            State::Sent => "sent",
            State::Deferred => "deferred",
            State::Failed => "failed",
            State::Uncertain => "uncertain",
            State::Cancelled => "cancelled",
            State::Skipped => "skipped",
        }
    }

    /// The state of a stored number; `None` for a number that no version wrote.
    pub fn from_number(number: i64) -> Option<State> {
        usize::try_from(number)
            .ok()
            .and_then(|n| State::ALL.get(n).copied())
    }

    /// The state of a word that somebody typed.
    pub fn from_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// What can happen to one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection takes it; the commit of this move is the intent.
    Claim,
    /// 2xx after the end of DATA.
    Accepted,
    /// A temporary failure: 4xx for this person, or the connection was lost before any content was sent.
    TempFail,
    /// A permanent failure: 5xx for this person, or deferred for longer than `give_up_after`.
    PermFail,
    /// The connection was lost between the end of DATA and the reply (RFC 1047), or the daemon was killed.
    Unconfirmed,
    /// No content went out and the cause is not this person: back to the queue.
    Requeued,
    /// The author cancels the issue.
    Cancel,
    /// The person is no longer there.
    Skip,
    /// The author asks for the failed, the uncertain or the cancelled once more.
    Retry,
}

/// The table of moves. `None`: the event can't happen in that state and changes nothing.
pub fn step(from: State, event: Event) -> Option<State> {
    use State::*;
    Some(match (from, event) {
        (Queued | Deferred, Event::Claim) => Sending,
        (Sending, Event::Accepted) => Sent,
        (Sending, Event::TempFail) => Deferred,
        (Sending, Event::PermFail) => Failed,
        (Sending, Event::Unconfirmed) => Uncertain,
        (Sending, Event::Requeued) => Queued,
        // Twenty alike refusals in a row turn out to be meant for us: those it hit return.
        (Failed, Event::Requeued) => Queued,
        (Queued | Deferred, Event::Cancel) => Cancelled,
        (Queued | Deferred, Event::Skip) => Skipped,
        (Deferred, Event::PermFail) => Failed,
        (Failed | Uncertain | Cancelled, Event::Retry) => Queued,
        _ => return None,
    })
}

/// Which mail a row is about: of an issue to a person, or one of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MailKey {
    /// An issue's mail to a person.
    Issue(IssueId, SubscriberId),
    /// A confirmation mail, or another system mail.
    System(SystemMailId),
}

/// How many people of an issue are in each state. `planned` is their sum at every instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Waiting for their first try.
    pub queued: u64,
    /// On the wire.
    pub sending: u64,
    /// Waiting for another try.
    pub deferred: u64,
    /// Accepted by a server.
    pub sent: u64,
    /// Refused for good.
    pub failed: u64,
    /// Perhaps accepted; nobody can know.
    pub uncertain: u64,
    /// Withdrawn by the author.
    pub cancelled: u64,
    /// No longer on the list when their turn came.
    pub skipped: u64,
}

impl Totals {
    /// Everybody that the issue was planned for.
    pub fn planned(&self) -> u64 {
        self.queued
            + self.sending
            + self.deferred
            + self.sent
            + self.failed
            + self.uncertain
            + self.cancelled
            + self.skipped
    }

    /// The count of one state.
    pub fn of_mut(&mut self, state: State) -> &mut u64 {
        match state {
            State::Queued => &mut self.queued,
            State::Sending => &mut self.sending,
            State::Sent => &mut self.sent,
            State::Deferred => &mut self.deferred,
            State::Failed => &mut self.failed,
            State::Uncertain => &mut self.uncertain,
            State::Cancelled => &mut self.cancelled,
            State::Skipped => &mut self.skipped,
        }
    }

    /// Those to whom something may still happen by itself.
    pub fn open(&self) -> u64 {
        self.queued + self.sending + self.deferred
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every move, as it was agreed upon: states downwards, events across, `-` where nothing happens.
    const TABLE: &str = "
                  claim   accepted tempfail permfail unconfirmed requeued cancel    skip    retry
        queued    sending -        -        -        -           -        cancelled skipped -
        sending   -       sent     deferred failed   uncertain   queued   -         -       -
        sent      -       -        -        -        -           -        -         -       -
        deferred  sending -        -        failed   -           -        cancelled skipped -
        failed    -       -        -        -        -           queued   -         -       queued
        uncertain -       -        -        -        -           -        -         -       queued
        cancelled -       -        -        -        -           -        -         -       queued
        skipped   -       -        -        -        -           -        -         -       -";

    /// In the order of the columns of the table.
    const EVENTS: [Event; 9] = [
        Event::Claim,
        Event::Accepted,
        Event::TempFail,
        Event::PermFail,
        Event::Unconfirmed,
        Event::Requeued,
        Event::Cancel,
        Event::Skip,
        Event::Retry,
    ];

    #[test]
    fn every_state_meets_every_event_as_the_table_says() {
        let mut lines = TABLE.trim().lines();
        let heads: Vec<String> = EVENTS
            .iter()
            .map(|event| format!("{event:?}").to_lowercase())
            .collect();
        assert_eq!(
            lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
            heads
        );
        for from in State::ALL {
            let mut words = lines.next().unwrap().split_whitespace();
            assert_eq!(words.next(), Some(from.word()));
            for (event, word) in EVENTS.into_iter().zip(words.by_ref()) {
                assert_eq!(
                    step(from, event),
                    State::from_word(word),
                    "{from:?} on {event:?}"
                );
            }
            assert_eq!(words.next(), None);
        }
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn an_end_is_left_only_by_the_author_or_for_our_own_fault() {
        for event in EVENTS {
            for from in [State::Sent, State::Skipped] {
                assert_eq!(
                    step(from, event),
                    None,
                    "{from:?} must not move on {event:?}"
                );
            }
            let may = event == Event::Retry;
            assert_eq!(step(State::Uncertain, event).is_some(), may, "{event:?}");
            assert_eq!(step(State::Cancelled, event).is_some(), may, "{event:?}");
            let may = matches!(event, Event::Retry | Event::Requeued);
            assert_eq!(step(State::Failed, event).is_some(), may, "{event:?}");
        }
    }

    #[test]
    fn words_and_numbers_go_both_ways() {
        for state in State::ALL {
            assert_eq!(State::from_number(state as i64), Some(state));
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_number(8), None);
        assert_eq!(State::from_number(-1), None);
    }
}
