//! What the connections to a server learn together of how it takes commands in groups (RFC 2920).
//!
//! There are two forms, each with doubts of its own.
//!
//! **Groups.** MAIL, RCPT and DATA go out in one write where the server offers PIPELINING. Some servers, or what stands
//! before them, offer it and break on it: they hang up, answer once for three commands, or answer something else. That
//! looks like any broken connection. So until one group was answered in full, a connection that breaks is blamed on
//! the form; afterwards two in a row are. Then commands go one at a time for a quarter of an hour, and the form is on
//! trial again.
//!
//! **Ahead.** RFC 2920, section 3.1 allows a content to be the first command of a group, so that `content, dot, MAIL,
//! RCPT, DATA` is one write and a mail costs one round trip instead of two. Not every server reads on where it
//! stopped, though: some discard what came with the content, or call it an error. Until the first such group was
//! answered in full, whatever goes wrong is blamed on the form, which is not used again.
//!
//! Where a form is blamed, the mails at hand are nobody's fault.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::endpoint::Pipelining;

/// How long commands go one at a time. Where the form was not to blame, it costs two round trips a mail.
const OFF_FOR: Duration = Duration::from_secs(15 * 60);

/// Whether a form of pipelining is to blame for what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// It is not: this happens to connections.
    No,
    /// It is, and is given up with this failure.
    First,
    /// It is, as another connection found before.
    Known,
}

impl Blame {
    /// Whether the form is to blame.
    pub fn is_due(self) -> bool {
        self != Blame::No
    }
}

/// What is known of one server.
#[derive(Debug)]
pub struct PipeliningProbe {
    is_wanted: bool,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    groups: Groups,
    ahead: Ahead,
}

#[derive(Debug, Default)]
struct Groups {
    /// A group was answered in full since the form was last on trial.
    is_proven: bool,
    /// Connections that broke since a group was last answered.
    broken: u32,
    /// Until then commands go one at a time.
    off_until: Option<Instant>,
}

/// It only ever goes from untried to proven or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    Off,
    Untried,
    Proven,
}

impl PipeliningProbe {
    /// Nothing is known yet; `wanted` is what the settings ask for.
    pub fn new(wanted: Pipelining) -> PipeliningProbe {
        let ahead = if wanted == Pipelining::Ahead {
            Ahead::Untried
        } else {
            Ahead::Off
        };
        PipeliningProbe {
            is_wanted: wanted != Pipelining::Off,
            known: Mutex::new(Known {
                groups: Groups::default(),
                ahead,
            }),
        }
    }

    /// Whether an envelope's commands may go out in one write.
    pub fn allows_groups(&self, now: Instant) -> bool {
        let off_until = self.known().groups.off_until;
        self.is_wanted && off_until.is_none_or(|until| until <= now)
    }

    /// A group was answered in full.
    pub fn group_answered(&self) {
        let groups = &mut self.known().groups;
        groups.is_proven = true;
        groups.broken = 0;
    }

    /// A connection broke between a group and its last reply.
    pub fn group_broke(&self, now: Instant) -> Blame {
        let groups = &mut self.known().groups;
        if groups.off_until.is_some_and(|until| until > now) {
            return Blame::Known;
        }
        groups.broken += 1;
        if groups.is_proven && groups.broken < 2 {
            return Blame::No;
        }
        *groups = Groups {
            off_until: Some(now + OFF_FOR),
            ..Groups::default()
        };
        Blame::First
    }

    /// Whether the next mail's commands may follow a content.
    pub fn allows_ahead(&self) -> bool {
        self.known().ahead != Ahead::Off
    }

    /// Commands behind a content were answered as RFC 2920 has it.
    pub fn ahead_answered(&self) {
        let ahead = &mut self.known().ahead;
        if *ahead == Ahead::Untried {
            *ahead = Ahead::Proven;
        }
    }

    /// Something went wrong with commands behind a content.
    pub fn ahead_failed(&self) -> Blame {
        let ahead = &mut self.known().ahead;
        match ahead {
            Ahead::Proven => Blame::No,
            Ahead::Off => Blame::Known,
            Ahead::Untried => {
                *ahead = Ahead::Off;
                Blame::First
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_answered_a_group_gets_none_for_a_while() {
        let (probe, now) = (PipeliningProbe::new(Pipelining::Standard), Instant::now());
        assert!(probe.allows_groups(now));
        assert_eq!(
            (probe.group_broke(now), probe.group_broke(now)),
            (Blame::First, Blame::Known)
        );
        assert!(!probe.allows_groups(now + OFF_FOR / 2) && probe.allows_groups(now + OFF_FOR));
        assert_eq!(
            probe.group_broke(now + OFF_FOR),
            Blame::First,
            "it is on trial again"
        );
    }

    #[test]
    fn one_that_did_may_lose_a_connection_and_not_two_in_a_row() {
        let (probe, now) = (PipeliningProbe::new(Pipelining::Standard), Instant::now());
        for _ in 0..5 {
            probe.group_answered();
            assert_eq!(probe.group_broke(now), Blame::No);
        }
        assert_eq!(probe.group_broke(now), Blame::First);
        assert!(!probe.allows_groups(now));
    }

    #[test]
    fn commands_ahead_that_never_worked_are_given_up() {
        let probe = PipeliningProbe::new(Pipelining::Ahead);
        assert!(probe.allows_ahead());
        assert_eq!(
            (probe.ahead_failed(), probe.ahead_failed()),
            (Blame::First, Blame::Known)
        );
        assert!(!probe.allows_ahead());
        probe.ahead_answered();
        assert!(!probe.allows_ahead());
    }

    #[test]
    fn where_commands_ahead_have_worked_a_later_failure_has_other_reasons() {
        let probe = PipeliningProbe::new(Pipelining::Ahead);
        probe.ahead_answered();
        assert_eq!(probe.ahead_failed(), Blame::No);
        assert!(probe.allows_ahead());
    }

    #[test]
    fn a_form_is_used_only_where_the_settings_ask_for_it() {
        assert!(!PipeliningProbe::new(Pipelining::Standard).allows_ahead());
        assert!(!PipeliningProbe::new(Pipelining::Off).allows_groups(Instant::now()));
    }
}
