//! Limits on rate, number and hours of mails, and what is said of them.

mod a_rate_spreads_mails;
mod batches_wait;
mod connections_are_limited;
mod hours_are_kept;
mod overrides_hold;
mod providers_are_throttled;
mod rates_are_learned;
mod rates_outlive_restarts;
mod relays_are_warmed_up;
mod the_limit_that_holds_is_named;
mod unused_permits_are_returned;
