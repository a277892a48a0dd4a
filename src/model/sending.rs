//! The state machine of one send: states of a queued issue, what can happen to it, and the table of moves.
//!
//! This is the only place that says which move of a send is allowed; `store::steering` applies it in the transaction
//! that reads the state.

use serde::{Deserialize, Serialize};

use super::waiting::Reason;

/// Where the sending of one issue stands. The words are what people read and what the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueState {
    /// Waits for its time.
    Scheduled,
    /// Its time has come: the audience is being fixed, or mails go out.
    Sending,
    /// Stopped, by its author or for a reason that needs the author.
    Paused,
    /// Nothing is queued, being sent or deferred any more.
    Done,
    /// Withdrawn by its author.
    Cancelled,
    /// Its time passed unnoticed, it could not be rendered, or the database is a copy: the author decides.
    Held,
}

impl IssueState {
    /// Every state.
    pub const ALL: [IssueState; 6] = [
        Self::Scheduled,
        Self::Sending,
        Self::Paused,
        Self::Done,
        Self::Cancelled,
        Self::Held,
    ];

    /// The word that people, scripts and the database read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
        }
    }

    /// The state of a stored word; `None` for a word that no version wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether nothing more happens to it by itself or by `resume`.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

/// What can happen to a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Its time has come.
    Start,
    /// Its time passed so long ago that the author must decide, or it could not be rendered.
    Hold,
    /// Stopped by its author, or by a breaker.
    Pause,
    /// Goes on after a pause or a hold. `early`: its own time has not come yet.
    Resume {
        /// Whether the issue is not due yet.
        early: bool,
    },
    /// Tries at once what waits: its author wants to see whether the cause is gone.
    TryNow,
    /// Withdrawn.
    Cancel,
    /// Nothing is open any more.
    Finish,
    /// The failed or the uncertain are queued once more.
    Retry,
    /// Those whom a cancel kept from getting it are queued after all.
    TakeBackCancel,
    /// The database turned out to be a copy, and nobody knows what was sent since it was made.
    Restore,
}

/// The table of moves. `None`: it can't happen in that state and changes nothing.
pub fn steer(from: IssueState, event: Steer) -> Option<IssueState> {
    use IssueState::*;
    Some(match (from, event) {
        (Scheduled, Steer::Start) => Sending,
        (Scheduled, Steer::Hold) => Held,
        (Scheduled | Sending, Steer::Pause) => Paused,
        (Paused | Held, Steer::Resume { early: true }) => Scheduled,
        (Paused | Held, Steer::Resume { early: false }) => Sending,
        (Sending, Steer::TryNow) => Sending,
        (Scheduled | Sending | Paused | Held, Steer::Cancel) => Cancelled,
        (Sending, Steer::Finish) => Done,
        (Done, Steer::Retry) => Sending,
        (Sending | Paused, Steer::Retry) => from,
        (Done | Cancelled, Steer::TakeBackCancel) => Sending,
        (Sending | Paused, Steer::TakeBackCancel) => from,
        (Scheduled | Sending | Paused | Held, Steer::Restore) => Held,
        _ => return None,
    })
}

/// What an issue that was queued means for another one of the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody got it and it was withdrawn: it makes room.
    Free,
    /// It has not begun: its author may replace it.
    Replaceable,
    /// Somebody has it, may have it, or is getting it.
    Blocks,
}

/// What a queued issue means for another one of the same identity. `has_begun`: its time has come before; `reached`: how
/// many have it, may have it, or are getting it.
pub fn standing(
    state: IssueState,
    reason: Option<&Reason>,
    has_begun: bool,
    reached: u64,
) -> Standing {
    // It may have gone out since the copy was made, whatever the copy says.
    let is_unknown = reason.is_some_and(Reason::is_restored);
    match state {
        IssueState::Cancelled if reached == 0 => Standing::Free,
        IssueState::Scheduled => Standing::Replaceable,
        IssueState::Held | IssueState::Paused if !has_begun && reached == 0 && !is_unknown => {
            Standing::Replaceable
        }
        _ => Standing::Blocks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_that_may_have_reached_somebody_is_never_replaced() {
        use IssueState::*;
        let restored = Reason::Restored { as_of: None };
        let free = |state, begun, reached| standing(state, None, begun, reached);
        assert_eq!(free(Cancelled, true, 0), Standing::Free);
        assert_eq!(free(Cancelled, true, 1), Standing::Blocks);
        assert_eq!(free(Scheduled, false, 0), Standing::Replaceable);
        for state in [Held, Paused] {
            assert_eq!(free(state, false, 0), Standing::Replaceable, "{state:?}");
            assert_eq!(free(state, true, 0), Standing::Blocks, "{state:?}");
            let unknown = standing(state, Some(&restored), false, 0);
            assert_eq!(unknown, Standing::Blocks, "{state:?}");
        }
        assert_eq!(free(Done, true, 0), Standing::Blocks);
        assert_eq!(free(Sending, true, 0), Standing::Blocks);
    }

    #[test]
    fn words_go_both_ways() {
        for state in IssueState::ALL {
            assert_eq!(IssueState::from_word(state.word()), Some(state));
        }
        assert_eq!(IssueState::from_word("Sending"), None);
    }

    /// Every move, as it was agreed upon: states downwards, events across, `-` where nothing happens. `early` is a
    /// resume before the issue's own time, `back` takes a cancel back.
    const TABLE: &str = "
                   start    hold  pause   resume   early      trynow   cancel     finish  retry    back     restore
        scheduled  sending  held  paused  -        -          -        cancelled  -       -        -        held
        sending    -        -     paused  -        -          sending  cancelled  done    sending  sending  held
        paused     -        -     -       sending  scheduled  -        cancelled  -       paused   paused   held
        done       -        -     -       -        -          -        -          -       sending  sending  -
        cancelled  -        -     -       -        -          -        -          -       -        sending  -
        held       -        -     -       sending  scheduled  -        cancelled  -       -        -        held";

    /// In the order of the table's head.
    const EVENTS: [Steer; 11] = [
        Steer::Start,
        Steer::Hold,
        Steer::Pause,
        Steer::Resume { early: false },
        Steer::Resume { early: true },
        Steer::TryNow,
        Steer::Cancel,
        Steer::Finish,
        Steer::Retry,
        Steer::TakeBackCancel,
        Steer::Restore,
    ];

    #[test]
    fn every_state_meets_every_event_as_the_table_says() {
        let mut lines = TABLE.trim().lines().skip(1);
        for from in IssueState::ALL {
            let mut words = lines.next().unwrap().split_whitespace();
            assert_eq!(words.next(), Some(from.word()));
            for (event, word) in EVENTS.into_iter().zip(words.by_ref()) {
                assert_eq!(
                    steer(from, event),
                    IssueState::from_word(word),
                    "{from:?} on {event:?}"
                );
            }
            assert_eq!(words.next(), None);
        }
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn what_was_cancelled_stays_so_until_that_is_taken_back() {
        for event in EVENTS {
            let may = event == Steer::TakeBackCancel;
            assert_eq!(
                steer(IssueState::Cancelled, event).is_some(),
                may,
                "{event:?}"
            );
        }
    }

    #[test]
    fn only_a_send_that_goes_on_can_end() {
        for from in IssueState::ALL {
            let may = from == IssueState::Sending;
            assert_eq!(steer(from, Steer::Finish).is_some(), may, "{from:?}");
        }
    }
}
