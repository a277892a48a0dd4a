//! The conversation with one server: what it may do, and what Letterpress makes of it.

mod addresses_beyond_ascii;
mod envelope_senders;
mod long_replies;
mod offered_ahead;
mod old_servers_know_no_ehlo;
mod pipelining_that_breaks;
mod replies_in_any_alphabet;
mod servers_without_pipelining;
mod signing;
mod silence;
mod silence_is_told;
mod stopped_while_connecting;
