//! Links: what is added to the author's own, and the signed ones that lead a person back to us.
//!
//! [`utm`] tags the links of an issue for the author's statistics. [`token`] signs what a link may do, for
//! whom and on which list, and [`Links`] writes such addresses. What a page behind a link does is decided in
//! `http`; where the keys are kept, in `store`; when they are read again, in `app`.

mod addresses;
pub(crate) mod signed;
pub mod token;
pub mod utm;

pub use addresses::{Links, PersonalLinks};
