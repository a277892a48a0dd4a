//! File descriptors: as many as the system gives, and how many of them are left for visitors.

use crate::http;
use crate::model::network::Cidr;
use crate::store;

/// What an unusual system without limits is taken to give.
const ENOUGH: u64 = 65_536;
/// The standard streams, the log, runtimes, and files that are opened for a moment.
const OTHERS: u64 = 48;
/// What one of the sender's connections takes: its socket, and while it is opened a look-up of the name.
const PER_CONNECTION: u64 = 2;

/// Raises the limit of open files to the most that this process may have, and gives it.
///
/// Where the system refuses, as a systemd unit may, the limit stays as it is.
pub(super) fn raise() -> u64 {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let now = getrlimit(Resource::Nofile);
        let wanted = Rlimit {
            current: now.maximum,
            maximum: now.maximum,
        };
        if now.current != now.maximum
            && let Err(why) = setrlimit(Resource::Nofile, wanted)
        {
            tracing::debug!("the limit of open files could not be raised: {why}");
        }
        getrlimit(Resource::Nofile).current.unwrap_or(ENOUGH)
    }
    #[cfg(not(target_os = "linux"))]
    256.min(ENOUGH)
}

/// The limits of visitors for a number of files that the process may open, and of connections that the sender holds.
pub(super) fn left_for_visitors(
    descriptors: u64,
    sender_connections: u64,
    proxies: Vec<Cidr>,
) -> http::Limits {
    let others = store::DESCRIPTORS_MAX + OTHERS + PER_CONNECTION * sender_connections;
    http::Limits::with_descriptors(descriptors.saturating_sub(others), proxies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_and_the_store_keep_theirs() {
        let left = |descriptors, sender| {
            left_for_visitors(descriptors, sender, Vec::new()).connections as u64
        };
        assert_eq!(left(1024, 8) + store::DESCRIPTORS_MAX + 48 + 16, 1024);
        assert_eq!(left(64, 400), 16);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        assert_eq!(raise(), limit.maximum.unwrap_or(ENOUGH));
    }
}
