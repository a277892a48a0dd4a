//! The sender against a server that does what it is told: one behaviour a file, each of which compares server
//! and ledger person by person ([`agreement`]).
//!
//! The daemon's rooms run inside the test process, with a folder, a database and ports of their own. Nothing here
//! asks how quick the machine is: what must happen first is waited for, and a server holds a mail at a gate for as long
//! as something is to happen meanwhile.

#![allow(
    clippy::disallowed_macros,
    reason = "tests print what helps to read a failure"
)]

#[path = "support/agreement.rs"]
mod agreement;
#[path = "../support/effort.rs"]
mod effort;
#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/scripts.rs"]
mod scripts;
#[allow(dead_code, unused_imports, reason = "the fault suite uses the rest")]
#[path = "../support/server.rs"]
mod server;
#[path = "support/signing_up.rs"]
mod signing_up;

mod outcomes;
mod rates;
mod relays;
mod smtp;
mod steering;
mod system_mails;
