//! The real program, used as people use it: commands, files, signals, HTTP, and SMTP servers that no one here
//! wrote (Postfix's `smtp-sink` for volume, its `smtpd` for TLS and login). One behaviour a file.
//!
//! Everything happens on loopback, in folders of its own; every process is stopped by its id.

#![allow(
    clippy::disallowed_macros,
    reason = "tests print what helps to read a failure"
)]

#[allow(dead_code, reason = "the fault suite uses the rest")]
#[path = "../support/newsletter.rs"]
mod newsletter;
mod postfix;
#[path = "../support/received.rs"]
mod received;
mod service_unit;
#[path = "../support/sink.rs"]
mod sink;
#[path = "../support/web.rs"]
mod web;

mod bad_surroundings;
mod daemon_fits_its_surroundings;
mod demo_delivers;
mod implicit_tls;
mod links_lead_to_pages;
mod log_tells_what_happened;
mod login_is_refused;
mod manual_and_completions;
mod package_is_complete;
mod pause_says_by_whom;
mod rehearsal_leaves_nothing;
mod runs_under_its_unit;
mod send_has_its_options;
mod settings_are_explained;
mod settings_are_reloaded;
mod speed_by_command;
mod standing_is_told;
mod starttls_and_login;
mod stopped_and_restarted;
mod streams_that_fail;
mod terminal_is_closed;
mod visitors_leave_room;
mod waiting_is_told;
mod wrong_certificate;
