//! Notices: the mails that Letterpress itself sends to one person, such as the request to confirm a subscription.
//!
//! One file each. What they say in each language is in `phrases`; they are set in the built-in theme by `compose`.
//! When one is queued is decided in `http` and `store`; `delivery` sends it.

mod confirmation;

pub(crate) use confirmation::Confirmation;
