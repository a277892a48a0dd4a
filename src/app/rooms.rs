//! Rooms that run side by side, in groups that are stopped one after the other.

use std::future::Future;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::error::{DaemonError, RoomError};

/// How much nicer a room is that steps back: a core that it shares with another thread is a quarter its own.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

type Ended = (&'static str, Result<(), RoomError>);

/// Rooms that are stopped together.
#[derive(Default)]
pub(super) struct Group {
    stop: CancellationToken,
    running: JoinSet<Ended>,
}

impl Group {
    /// Starts a room; `name` completes “the … stopped”. It runs until its token is cancelled.
    pub(super) fn start<F>(&mut self, name: &'static str, room: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), RoomError>> + Send + 'static,
    {
        let running = room(self.stop.clone());
        self.running.spawn(async move { (name, running.await) });
    }

    /// Asks every room to stop, waits for all, and gives the first failure.
    pub(super) async fn end(mut self) -> Result<(), DaemonError> {
        self.stop.cancel();
        let mut first = Ok(());
        while let Some(ended) = self.running.join_next().await {
            let this = match ended {
                Ok((_, Ok(()))) => Ok(()),
                other => Err(failure(other)),
            };
            first = first.and(this);
        }
        first
    }
}

/// Waits for a room that ends by itself, and gives why.
pub(super) async fn fallen(groups: &mut [Group; 3]) -> DaemonError {
    let [first, second, third] = groups;
    tokio::select! {
        Some(ended) = first.running.join_next() => failure(ended),
        Some(ended) = second.running.join_next() => failure(ended),
        Some(ended) = third.running.join_next() => failure(ended),
        else => std::future::pending().await,
    }
}

/// Ends the groups in their order. `fallen`: why that has to be, where nobody asked for it.
///
/// # Errors
/// A room failed, or ended although nobody had asked it to.
pub(super) async fn end(
    groups: impl IntoIterator<Item = Group>,
    fallen: Option<DaemonError>,
) -> Result<(), DaemonError> {
    if let Some(error) = &fallen {
        tracing::error!("{error}");
    }
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Stopping]);
    let mut outcome = fallen.map_or(Ok(()), Err);
    for group in groups {
        let ended = group.end().await;
        outcome = outcome.and(ended);
    }
    outcome
}

fn failure(ended: Result<Ended, JoinError>) -> DaemonError {
    let (room, error) = match ended {
        Ok((room, Ok(()))) => (room, RoomError::Unasked),
        Ok((room, Err(error))) => (room, error),
        Err(died) => ("daemon", RoomError::TaskDied(died)),
    };
    DaemonError::Room { room, error }
}

/// Runs a room to its end on a thread of that name, with a runtime for it and what it spawns.
///
/// `steps_back` lowers the thread's priority, and with it that of the threads that it starts: on a busy machine, its room
/// gets what the others leave, and a share that keeps it responsive.
///
/// The connections of the sender wait for one another at every commit. On one thread that is a look at a queue; on
/// several it wakes another core each time, which cost a tenth of the CPU time of a mail.
///
/// # Errors
/// The thread can't be started, or it died of a defect.
pub(super) async fn on_its_own_thread<T: Send + 'static>(
    name: &str,
    steps_back: bool,
    room: impl Future<Output = T> + Send + 'static,
) -> Result<T, RoomError> {
    let (tell, told) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if steps_back {
                step_back();
            }
            // Nobody listens any more if the daemon ends without it.
            let _ = tell.send(runtime.block_on(room));
        })?;
    told.await.map_err(|_| RoomError::ThreadDied)
}

/// Lowers the priority of the calling thread. On Linux alone: elsewhere it would be the whole process's. Where the system
/// refuses (a seccomp filter, as of a systemd unit), everything works all the same.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(why) = rustix::process::nice(NICER) {
        tracing::debug!("the priority of a thread could not be lowered: {why}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Three groups whose rooms note when they end.
    fn groups(ends: &Arc<Mutex<Vec<&'static str>>>) -> [Group; 3] {
        ["sender", "web", "watcher"].map(|name| {
            let ends = ends.clone();
            let mut group = Group::default();
            group.start(name, |stop| async move {
                stop.cancelled().await;
                tokio::task::yield_now().await;
                ends.lock().unwrap().push(name);
                Ok(())
            });
            group
        })
    }

    #[tokio::test]
    async fn groups_end_one_after_the_other() {
        let ends = Arc::default();
        end(groups(&ends), None).await.unwrap();
        assert_eq!(*ends.lock().unwrap(), ["sender", "web", "watcher"]);
    }

    #[tokio::test]
    async fn a_room_that_fails_ends_the_others_in_order() {
        let ends = Arc::default();
        let mut groups = groups(&ends);
        groups[1].start("pages", |_| async {
            Err(std::io::Error::other("the listener broke").into())
        });
        let why = fallen(&mut groups).await;
        let error = end(groups, Some(why)).await.unwrap_err();
        assert_eq!(error.to_string(), "the pages stopped: the listener broke");
        assert_eq!(*ends.lock().unwrap(), ["sender", "web", "watcher"]);
    }

    #[tokio::test]
    async fn it_ends_with_what_the_room_gave() {
        let name = on_its_own_thread("a room", false, async {
            tokio::spawn(async { std::thread::current().name().map(str::to_owned) })
                .await
                .unwrap()
        });
        assert_eq!(name.await.unwrap().as_deref(), Some("a room"));
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_room_that_steps_back_is_nicer_than_the_others_and_so_is_what_it_starts() {
        /// How nice the calling thread is (proc_pid_stat(5), the nineteenth field).
        fn niceness() -> i32 {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let behind_the_name = stat.rsplit_once(')').unwrap().1;
            let mut fields = behind_the_name.split_whitespace();
            fields.nth(16).unwrap().parse().unwrap()
        }
        let room = async { (niceness(), std::thread::spawn(niceness).join().unwrap()) };
        let before = niceness();
        let inside = on_its_own_thread("a room", true, room).await.unwrap();
        let nicer = (before + NICER).min(19);
        assert_eq!((inside, niceness()), ((nicer, nicer), before));
    }

    #[tokio::test]
    async fn a_defect_is_told() {
        let died: Result<(), RoomError> =
            on_its_own_thread("a room", false, async { panic!("a test's own panic") }).await;
        assert!(matches!(died, Err(RoomError::ThreadDied)));
    }
}
