//! A limited number of tickets, of which the newest who waits gets the next.
//!
//! Where more wait than can be served, those who came first have mostly gone, or never meant to stay: to serve them in
//! their order would let everybody wait as long as the slowest.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// A number of tickets.
pub(super) struct Turnstile {
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// The newest last.
    waiting: Vec<oneshot::Sender<Ticket>>,
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

    /// Will get a ticket in its turn; not receiving it hands it on.
    pub(super) fn wait(self: &Arc<Self>) -> oneshot::Receiver<Ticket> {
        let (tell, told) = oneshot::channel();
        match self.try_take() {
            Some(ticket) => drop(tell.send(ticket)),
            None => {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.waiting.retain(|other| !other.is_closed());
                state.waiting.push(tell);
            }
        }
        told
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(of) = self.of.take() else { return };
        loop {
            let mut state = of.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(next) = state.waiting.pop() else {
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
        let mut new = turnstile.wait();
        drop(gone);
        drop(first);
        let ticket = new.try_recv().unwrap();
        assert!(old.try_recv().is_err());
        drop(ticket);
        assert!(old.try_recv().is_ok());
        assert!(turnstile.try_take().is_some(), "nothing is lost");
        assert!(turnstile.wait().try_recv().is_ok());
    }
}
