//! The sender against a server that does what it is told: one behaviour a file, each of which compares server
//! and ledger person by person.
//!
//! The daemon's rooms run inside the test process, with a folder, a database and ports of their own.

#[path = "../faults/effort.rs"]
mod effort;
mod fixture;
#[allow(dead_code, unused_imports, reason = "the fault suite uses the rest")]
mod server;

mod answers_are_understood;
mod every_fault_at_every_step;
mod faults_at_each_step;
mod hours_are_kept;
mod limits_are_kept;
mod odd_servers;
mod offered_ahead;
mod our_fault_fails_nobody;
mod providers_are_throttled;
mod relay_goes_away;
mod relays_are_warmed_up;
mod retried_meanwhile;
mod several_relays;
mod signing;
mod speed_is_learnt;
mod steering;
mod system_mails;
mod too_many_failures_pause;
