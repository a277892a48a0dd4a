//! Confirmations beside issues.

mod confirmations_come_back;
mod confirmations_go_first;
mod refused_confirmations_wait_alone;
