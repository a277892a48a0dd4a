//! Whether a relay takes the next mail's commands right behind the end of a mail.
//!
//! RFC 2920, 3.1 allows a content to be the first command of a group, so that `content, dot, MAIL, RCPT, DATA` is one
//! write and a mail costs one round trip instead of two. Not every server that offers PIPELINING reads on where
//! it stopped, though: some throw away what came with the content, or call it an error. So the first mails tell:
//! until one was answered as it should be, whatever goes wrong is taken for the form's fault, blames nobody, and
//! ends the form for this relay.

use std::sync::atomic::{AtomicU8, Ordering};

const OFF: u8 = 0;
const UNTRIED: u8 = 1;
const PROVEN: u8 = 2;

/// What is known of one relay. It only ever goes from untried to proven or off.
#[derive(Debug)]
pub(super) struct Ahead(AtomicU8);

impl Ahead {
    /// `wanted`: the settings ask for it.
    pub(super) fn new(wanted: bool) -> Ahead {
        Ahead(AtomicU8::new(if wanted { UNTRIED } else { OFF }))
    }

    /// Whether the next mail may be offered that way.
    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) != OFF
    }

    /// A whole group was answered as the standard has it.
    pub(super) fn proves_good(&self) {
        let _ = self
            .0
            .compare_exchange(UNTRIED, PROVEN, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Something went wrong in a group. `true`: the form is taken to be the reason, and is given up; the mails at
    /// hand are nobody's fault.
    pub(super) fn is_to_blame(&self) -> bool {
        match self
            .0
            .compare_exchange(UNTRIED, OFF, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => true,
            // Another connection found out a moment before.
            Err(now) => now == OFF,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_never_took_it_is_asked_no_more() {
        let ahead = Ahead::new(true);
        assert!(ahead.is_on());
        assert!(ahead.is_to_blame());
        assert!(!ahead.is_on());
        ahead.proves_good();
        assert!(!ahead.is_on());
    }

    #[test]
    fn what_goes_wrong_later_has_other_reasons() {
        let ahead = Ahead::new(true);
        ahead.proves_good();
        assert!(!ahead.is_to_blame());
        assert!(ahead.is_on());
    }

    #[test]
    fn it_is_not_used_unasked() {
        assert!(!Ahead::new(false).is_on());
    }
}
