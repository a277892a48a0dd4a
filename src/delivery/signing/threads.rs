//! The threads on which mails are signed: as many as there are cores, and of less weight than the others.
//!
//! Signing fills the cores. A signature that waits a moment costs nobody anything; a sender, a ledger or a page that
//! waits for signatures costs all connections their time: so much that less weight here gave a tenth more mails a
//! second.

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How much nicer than the rest of the program these threads are, as `nice` counts.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// The threads; they begin when they are needed, and end when they are not for some seconds.
pub(super) struct Threads {
    /// A runtime for the sake of its blocking threads alone. `None`: none could be had, and the caller's do the work.
    runtime: Option<Runtime>,
}

impl Threads {
    pub(super) fn new() -> Threads {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(cores)
            .thread_name("signer")
            .on_thread_start(step_back)
            .build();
        Threads {
            runtime: runtime.ok(),
        }
    }

    /// Does some work on one of the threads, in the order of asking.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.runtime {
            Some(runtime) => runtime.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for them, as a runtime does that is dropped, would block the caller's own.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lowers the priority of the calling thread. On Linux alone: elsewhere it would be the whole process's.
///
/// Where the system refuses (a seccomp filter, as of a systemd unit), mails are signed all the same.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(why) = rustix::process::nice(NICER) {
        tracing::debug!("the priority of a signing thread could not be lowered: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How nice the calling thread is (proc_pid_stat(5), the nineteenth field).
    #[cfg(target_os = "linux")]
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let behind_the_name = stat.rsplit_once(')').unwrap().1;
        behind_the_name
            .split_whitespace()
            .nth(16)
            .unwrap()
            .parse()
            .unwrap()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_is_done_with_less_weight_and_the_caller_keeps_its_own() {
        let before = niceness();
        let threads = Threads::new();
        let there = threads.run(niceness).await.unwrap();
        assert_eq!(there, (before + NICER).min(19));
        drop(threads);
        assert_eq!(niceness(), before);
    }

    #[tokio::test]
    async fn no_more_work_at_once_than_cores() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let threads = Threads::new();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let works: Vec<_> = (0..64)
            .map(|_| {
                let (now, most) = (now.clone(), most.clone());
                threads.run(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        for work in works {
            work.await.unwrap();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=cores).contains(&most.load(Ordering::SeqCst)));
    }
}
