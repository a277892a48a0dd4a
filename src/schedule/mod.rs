//! What is due: sends for a later time, and each list's own schedule.

pub mod cron;
