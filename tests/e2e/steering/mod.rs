//! What the author, a reader or the operator does while mails go out.

mod a_stop_waits;
mod leaving_meanwhile;
mod paused_before_the_start;
mod retried_meanwhile;
mod steered_on_the_way;
mod two_issues;
