//! Links: tags on the author's own, and signed ones that lead a person back to us.
//!
//! [`utm`] tags the links of an issue for the author's statistics. [`token`] signs what a link may do, for
//! whom and on which list; [`Links`] and [`PersonalLinks`] write such addresses. What the page behind a link does is
//! decided in `http`; `store` keeps the keys, and `app` reads them again when they change.

mod addresses;
pub(crate) mod signed;
pub mod token;
pub mod utm;
mod written;

pub use addresses::{Links, PersonalLinks};
