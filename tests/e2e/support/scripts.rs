//! What several behaviours have their servers do.

use crate::server::{At, Do, Gate, say};

/// Takes so many mails; those that follow are held at their dot until the gate is open.
pub(crate) fn held_after(
    mails: usize,
    gate: &Gate,
) -> impl FnMut(At, &str, usize) -> Do + Send + 'static {
    let (mut left, gate) = (mails, gate.clone());
    move |at, _, _| {
        if at != At::Dot {
            return Do::Usual;
        }
        match left.checked_sub(1) {
            Some(fewer) => {
                left = fewer;
                Do::Usual
            }
            None => Do::Hold(gate.clone()),
        }
    }
}

/// Every kind of fault, by a number that looks like chance, so that no fault follows another.
pub(crate) fn mixed_faults(at: At, _: &str, n: usize) -> Do {
    match (at, n.wrapping_mul(2_654_435_761) >> 7 & 31) {
        (At::Rcpt, 3) => say("450 4.2.0 later"),
        (At::Mail, 5) => Do::Drop,
        (At::Dot, 7) => say("421 4.3.2 closing"),
        (At::Content, 4) => Do::Drop,
        (At::Kept, 9) => Do::Drop,
        (At::Data, 2) => say("garbage"),
        (At::Connect, 6) => say("421 4.3.2 busy"),
        (At::Rcpt, 8) => say("550 5.1.1 gone"),
        _ => Do::Usual,
    }
}
