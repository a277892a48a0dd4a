//! The sender against a server that does what it is told: one behaviour a file, each of which compares server
//! and ledger person by person ([`agreement`]).
//!
//! The daemon's rooms run inside the test process, with a folder, a database and ports of their own. Nothing here
//! asks how quick the machine is: what must happen first is waited for, and a server holds a mail at a gate for as long
//! as something is to happen meanwhile.

mod agreement;
#[path = "../faults/effort.rs"]
mod effort;
mod fixture;
mod scripts;
#[allow(dead_code, unused_imports, reason = "the fault suite uses the rest")]
mod server;
mod signing_up;

mod a_failing_relay_is_passed_over;
mod a_lost_connection_rests_alone;
mod a_measure_spreads_mails;
mod a_stop_waits;
mod addresses_beyond_ascii;
mod another_relay_takes_it;
mod batches_wait;
mod confirmations_come_back;
mod confirmations_go_first;
mod connections_are_limited;
mod envelope_senders;
mod every_fault_at_every_step;
mod faults_at_each_step;
mod giving_up;
mod hours_are_kept;
mod leaving_meanwhile;
mod long_replies;
mod measures_outlive_restarts;
mod mixed_faults;
mod nobody_is_there;
mod offered_ahead;
mod old_servers_know_no_ehlo;
mod our_fault_fails_nobody;
mod paused_before_the_start;
mod pipelining_that_breaks;
mod providers_are_throttled;
mod refused_confirmations_wait_alone;
mod relay_is_not_there;
mod relays_are_warmed_up;
mod relays_share_the_work;
mod replies_in_any_alphabet;
mod retried_meanwhile;
mod servers_without_pipelining;
mod signing;
mod silence;
mod silence_is_told;
mod speed_is_learnt;
mod steered_on_the_way;
mod stopped_while_connecting;
mod the_authors_word_holds;
mod too_many_failures_pause;
mod two_issues;
mod unused_leave_is_given_back;
mod what_really_holds_is_told;
