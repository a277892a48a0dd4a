//! The words of the house: plain values without I/O that every other room speaks in.
//!
//! Nothing here reads a file, a clock or a socket. Times are [`jiff::Timestamp`], stored as Unix
//! milliseconds; addresses are normalised once, at the door, by [`Address::parse`].

pub mod address;
pub mod clock;
pub mod delivery;
pub mod destination;
pub mod finding;
pub(crate) mod invisible;
pub mod issue;
pub mod list;
pub mod network;
pub mod rate;
pub mod rendered;
pub mod reply;
pub mod restored;
pub mod sending;
pub mod subscriber;
pub mod subscription;
pub mod waiting;

pub use address::Address;
pub use clock::SharedClock;
pub use finding::{Finding, Severity};
pub use list::List;
pub use network::{Cidr, Network};
pub use rendered::Rendered;

/// Declares a row number of the database as a type of its own, so that no two kinds can be mixed up.
macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(
            /// The number.
            pub i64,
        );

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_id! {
    /// A newsletter's row.
    ListId,
    /// A person's row.
    SubscriberId,
    /// A queued issue's row.
    IssueId,
    /// A confirmation or other system mail's row.
    SystemMailId,
}
