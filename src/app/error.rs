//! Why the daemon could not start, or had to end.

use std::fmt;

use tokio::task::JoinError;

use crate::compose::theme::ThemeError;
use crate::store::StoreError;

/// Why the daemon could not start, or had to end.
#[derive(Debug)]
pub(crate) enum DaemonError {
    /// The database can't be used, or another daemon uses it.
    Store(StoreError),
    /// A list's theme can't be used for its system mails.
    Theme(ThemeError),
    /// A room ended although nobody asked it to.
    Room {
        /// What the room is called.
        room: &'static str,
        /// Why it ended.
        error: RoomError,
    },
}

impl From<StoreError> for DaemonError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ThemeError> for DaemonError {
    fn from(error: ThemeError) -> Self {
        Self::Theme(error)
    }
}

impl fmt::Display for DaemonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Theme(error) => error.fmt(f),
            Self::Room { room, error } => write!(f, "the {room} stopped: {error}"),
        }
    }
}

impl std::error::Error for DaemonError {}

/// Why a room ended.
#[derive(Debug)]
pub(crate) enum RoomError {
    /// The database can't be used.
    Store(StoreError),
    /// The system refused something, such as a thread or a connection.
    Io(std::io::Error),
    /// It ended without an error and without having been asked to.
    Unasked,
    /// A defect: its thread died.
    ThreadDied,
    /// A defect: its task died.
    TaskDied(JoinError),
}

impl From<StoreError> for RoomError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for RoomError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for RoomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Io(error) => f.write_str(&crate::format::io(error)),
            Self::Unasked => f.write_str("it was not asked to; please report this"),
            Self::ThreadDied => f.write_str("its thread died; please report this"),
            Self::TaskDied(error) => write!(f, "{error}; please report this"),
        }
    }
}
