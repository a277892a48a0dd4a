//! What may be done to issues, subscribers, rates and keys, apart from how it is said.
//!
//! An operation decides whether something may be done, does it, and gives back what became of it as a value,
//! or an [`Error`] whose [`Refusal`] has its facts as fields. Nothing here asks, prints or makes a sentence
//! for people: the command line does that, in `cli/refusal.rs`. Sending is left to `delivery`, which notices
//! what an operation has written.

mod error;
mod name;

pub(crate) mod backup;
pub(crate) mod issues;
pub(crate) mod keys;
pub(crate) mod prune;
pub(crate) mod queue;
pub(crate) mod rates;
pub(crate) mod restore;
pub(crate) mod setup;
pub(crate) mod steering;
pub(crate) mod subscribers;

pub(crate) use error::{Action, Error, Refusal};
pub(crate) use name::IssueName;

/// What operations give back.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
