//! A room on a thread of its own.
//!
//! The sender's connections wait for one another at every commit. On one thread that is a look at a queue; on
//! several it wakes another core each time, which cost a tenth of a mail's whole CPU time.

use std::future::Future;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Runs a room to its end on a thread of that name, with a runtime for it and what it spawns.
///
/// # Errors
/// The thread can't be had, or it died of a defect.
pub(super) async fn of_its_own<T: Send + 'static>(
    name: &str,
    room: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    let (tell, told) = oneshot::channel();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| crate::format::io(&e))?;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Nobody listens any more where the daemon ends without it.
            let _ = tell.send(runtime.block_on(room));
        })
        .map_err(|e| crate::format::io(&e))?;
    told.await
        .map_err(|_| "a defect: its thread died".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_with_what_the_room_gave() {
        let name = of_its_own("a room", async {
            tokio::spawn(async { std::thread::current().name().map(str::to_owned) })
                .await
                .unwrap()
        });
        assert_eq!(name.await, Ok(Some("a room".to_owned())));
    }

    #[tokio::test]
    async fn a_defect_is_told() {
        let died: Result<(), String> =
            of_its_own("a room", async { panic!("a test's own panic") }).await;
        assert_eq!(died, Err("a defect: its thread died".to_owned()));
    }
}
