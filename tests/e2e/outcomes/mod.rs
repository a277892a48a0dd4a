//! What becomes of a mail when servers refuse it or fail.

mod every_fault_at_every_step;
mod faults_at_each_step;
mod giving_up;
mod greylisting;
mod mixed_faults;
mod nobody_is_there;
mod our_fault_fails_nobody;
mod the_day_is_used_up;
mod too_many_failures_pause;
mod who_refuses_us;
