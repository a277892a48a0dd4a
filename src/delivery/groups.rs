//! Whether a relay is sent MAIL, RCPT and DATA in one write, where it offers that (RFC 2920).
//!
//! Some servers, or what stands before them, offer PIPELINING and break on it: they hang up, answer once for three
//! commands, or answer something else. It looks like any broken connection. So until a group was answered as a whole,
//! one that breaks is laid to the form; afterwards two in a row are. Then the relay is sent one command at a time for
//! a while, the mails at hand are nobody's fault, and after the while it is on trial again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long commands go one at a time. What it costs where the form was not to blame is two round trips a mail.
const WHILE: Duration = Duration::from_secs(15 * 60);

/// What is known of one relay.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// A group was answered as a whole, since the relay was last on trial.
    is_proven: bool,
    /// Connections that broke since a group was last answered.
    broken: u32,
    /// Until then commands go one at a time.
    off_until: Option<Instant>,
}

/// Whether the form is to blame for a connection that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// It broke as connections do.
    No,
    /// It is, and was given up just now.
    First,
    /// It is, as another connection found before.
    Known,
}

impl Groups {
    /// Whether commands may go out together now.
    pub(super) fn are_on(&self, now: Instant) -> bool {
        self.known().off_until.is_none_or(|until| until <= now)
    }

    /// A whole group was answered.
    pub(super) fn answered(&self) {
        let mut known = self.known();
        known.is_proven = true;
        known.broken = 0;
    }

    /// A connection broke between a group and its last answer.
    pub(super) fn broke(&self, now: Instant) -> Blame {
        let mut known = self.known();
        if known.off_until.is_some_and(|until| until > now) {
            return Blame::Known;
        }
        known.broken += 1;
        if known.is_proven && known.broken < 2 {
            return Blame::No;
        }
        *known = Known {
            is_proven: false,
            broken: 0,
            off_until: Some(now + WHILE),
        };
        Blame::First
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_never_answered_a_group_is_sent_none_for_a_while() {
        let (groups, now) = (Groups::default(), Instant::now());
        assert!(groups.are_on(now));
        assert_eq!(
            (groups.broke(now), groups.broke(now)),
            (Blame::First, Blame::Known)
        );
        assert!(!groups.are_on(now + WHILE / 2) && groups.are_on(now + WHILE));
        assert_eq!(
            groups.broke(now + WHILE),
            Blame::First,
            "it is on trial again"
        );
    }

    #[test]
    fn one_that_did_may_lose_a_connection_and_not_two_in_a_row() {
        let (groups, now) = (Groups::default(), Instant::now());
        for _ in 0..5 {
            groups.answered();
            assert_eq!(groups.broke(now), Blame::No);
        }
        assert_eq!(groups.broke(now), Blame::First);
        assert!(!groups.are_on(now));
    }
}
