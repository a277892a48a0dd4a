//! Several relays, and relays that are away.

mod a_failing_relay_is_passed_over;
mod a_lost_connection_backs_off_alone;
mod another_relay_takes_it;
mod relay_is_not_there;
mod relays_share_the_work;
