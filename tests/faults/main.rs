//! Faults of the surroundings, put under the real program: kills, power cuts, full disks, broken disks, locks,
//! clocks that are set, data that is meant to harm. One behaviour a file; each compares server and ledger person
//! by person.
//!
//! `shim.c` makes the faults, between the program and the system: the program has no hook for any of them. The
//! breakpoints are generated: a first run counts the steps of a small send, and for each step and each side of
//! it the same send is made once more and broken there.
//!
//! `./tests/run` does a bounded part; `./tests/faults/run --full` does all of it.

#![allow(
    clippy::disallowed_macros,
    reason = "tests print what helps to read a failure"
)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../support/newsletter.rs"]
mod newsletter;
#[path = "../support/received.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod received;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../support/server.rs"]
mod server;
#[path = "../support/sink.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod sink;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../support/web.rs"]
mod web;

mod breakpoints;
#[path = "../support/effort.rs"]
mod effort;
mod killed_command;
mod shim;
mod stage;

mod cancel_is_killed;
mod clock_is_set;
mod confirmations_are_killed;
mod copies_are_held;
mod database_is_locked;
mod disk_fails;
mod disk_is_full;
mod hostile_data;
mod import_is_killed;
mod killed_at_each_step;
mod killed_at_random;
mod power_is_cut;
mod restore_is_killed;
mod retry_is_killed;
mod second_daemon;
mod send_is_killed;
mod stopped_at_each_step;
