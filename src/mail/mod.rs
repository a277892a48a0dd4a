//! One person's mail: a [`Template`] encodes a rendered issue once, and joins its pieces for each reader.
//!
//! The result is ready for SMTP: ASCII except for an address that needs SMTPUTF8, lines ended by CRLF and shorter
//! than 998 bytes, none of which begins with a dot. Personal values are escaped by the context of their
//! merge field and can neither end a line nor reach beyond their place. Where links lead is the caller's to say; who
//! sends the mail, and when, is `delivery`'s.

pub mod dkim;
mod header;
mod quoted;
mod template;

pub use template::{Recipient, Stream, Template};
