//! The conversation with one server: what it may do, and what Letterpress makes of it.

mod addresses_beyond_ascii;
mod envelope_senders;
mod logging_in;
mod long_replies;
mod names_in_ehlo;
mod offered_ahead;
mod old_servers_know_no_ehlo;
mod pipelining_that_breaks;
mod ports_and_tls;
mod replies_in_any_alphabet;
mod servers_without_pipelining;
mod signing;
mod silence;
mod silence_is_told;
mod stopped_while_connecting;
