//! A limited number of tickets, of which the newest who waits gets the next.
//!
//! Where more wait than can be served, those who came first have mostly gone, or never meant to stay: to serve them in
//! their order would let everybody wait as long as the slowest.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// A number of tickets.
pub(super) struct Turnstile {
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// The newest last, each with its number.
    waiting: Vec<(u64, oneshot::Sender<Ticket>)>,
    came: u64,
    /// When one of them was last allowed to ask others to give way.
    asked: Option<Instant>,
}

/// A place among those who wait.
pub(super) struct Waiting {
    number: u64,
    /// Gets the ticket; dropping it hands it on.
    pub(super) ticket: oneshot::Receiver<Ticket>,
}

/// Permission to pass; dropping it hands it on.
pub(super) struct Ticket {
    /// `None`: it was handed on already.
    of: Option<Arc<Turnstile>>,
}

impl Turnstile {
    pub(super) fn new(tickets: usize) -> Arc<Turnstile> {
        let state = State {
            free: tickets,
            waiting: Vec::new(),
            came: 0,
            asked: None,
        };
        Arc::new(Turnstile {
            state: Mutex::new(state),
        })
    }

    /// A ticket, if there is one.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Ticket> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free = state.free.checked_sub(1)?;
        Some(Ticket {
            of: Some(self.clone()),
        })
    }

    /// Will get a ticket in its turn.
    pub(super) fn wait(self: &Arc<Self>) -> Waiting {
        let (tell, ticket) = oneshot::channel();
        let mut number = 0;
        match self.try_take() {
            Some(ticket) => drop(tell.send(ticket)),
            None => {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.waiting.retain(|(_, other)| !other.is_closed());
                state.came += 1;
                number = state.came;
                state.waiting.push((number, tell));
            }
        }
        Waiting { number, ticket }
    }

    /// Whether somebody who waits is the next, and none who waited was allowed to ask within such a time; then that counts
    /// as allowed.
    pub(super) fn may_ask_again(&self, waiting: &Waiting, within: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut there = state.waiting.iter().filter(|(_, other)| !other.is_closed());
        let is_next = there
            .next_back()
            .is_some_and(|(number, _)| *number == waiting.number);
        let may = is_next && state.asked.is_none_or(|at| at.elapsed() >= within);
        if may {
            state.asked = Some(Instant::now());
        }
        may
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(of) = self.of.take() else { return };
        loop {
            let mut state = of.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((_, next)) = state.waiting.pop() else {
                state.free += 1;
                return;
            };
            drop(state);
            let ticket = Ticket {
                of: Some(of.clone()),
            };
            match next.send(ticket) {
                Ok(()) => return,
                // That one has gone meanwhile.
                Err(mut ticket) => ticket.of = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_who_waits_is_next_and_who_has_gone_is_passed_over() {
        let turnstile = Turnstile::new(1);
        let first = turnstile.try_take().unwrap();
        assert!(turnstile.try_take().is_none());
        let (mut old, gone) = (turnstile.wait(), turnstile.wait());
        let is_next = |waiting: &Waiting| turnstile.may_ask_again(waiting, Duration::ZERO);
        assert!(is_next(&gone));
        drop(gone);
        assert!(is_next(&old));
        let mut new = turnstile.wait();
        assert!(is_next(&new) && !is_next(&old));
        assert!(!turnstile.may_ask_again(&new, Duration::from_secs(3600)));
        drop(first);
        let ticket = new.ticket.try_recv().unwrap();
        assert!(old.ticket.try_recv().is_err());
        drop(ticket);
        assert!(old.ticket.try_recv().is_ok());
        assert!(turnstile.try_take().is_some(), "nothing is lost");
        assert!(turnstile.wait().ticket.try_recv().is_ok());
    }
}
