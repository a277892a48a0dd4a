//! SMTP as a client speaks it: one connection to one server, its replies read and judged.
//!
//! The conversation is our own, since three promises depend on it that no client library keeps: it is known whether
//! a mail's last byte was handed over when a connection breaks, a rejection does not cost the connection, and a reply
//! in any alphabet is a reply. The room knows nothing of the ledger, of queues or of how a mail is made. Deciding what
//! an outcome means for a person, and when to try again, is left to `delivery`.
//!
//! [`Endpoint`] says where a connection leads, [`Client`] is the connection, [`Reply`] what the server says on it;
//! [`PipeliningProbe`] and [`StallMonitor`] are what the connections to one server learn together.

mod about;
mod auth;
mod client;
mod connect;
mod ehlo;
mod endpoint;
mod error;
mod pipelining;
mod probe;
mod reply;
mod stall;
mod stream;
mod tls;

pub use crate::model::reply::{EnhancedCode, Step};
pub use crate::model::waiting::{Remedy, WaitingFor};
pub use about::About;
pub use client::{Client, Envelope, EnvelopeReply};
pub use ehlo::Capabilities;
pub use endpoint::{Endpoint, Login, Password, Pipelining, Timeouts, Tls};
pub use error::{ConnectError, ConnectFault, ConnectionLost, LostAfterData, PartialWrite};
pub use pipelining::{Blame, PipeliningProbe};
pub use reply::{LINE_MAX, LINES_MAX, Reply, ReplyLine, Verdict};
pub use stall::{StallMonitor, Wait};
pub use stream::SmtpStream;
pub use tls::{TlsFailure, TlsSetupError, check_certificates, client_config};
