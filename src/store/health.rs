//! Whether the database can be written: what the last writes said, and a look where there was none for a while.
//!
//! The ledger's writes are judged apart from the others: a damaged page of it stops the sender, though other pages can
//! be written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::place::Displaced;
use super::{Store, StoreError};

/// A write that went well so long ago says nothing any more.
const FRESH: Duration = Duration::from_secs(5);
/// How long a look waits for a write, its own or another's.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known of a database's writes.
#[derive(Debug, Default)]
pub(super) struct Health {
    known: Mutex<Known>,
    /// Whether a look is under way: no more than one waits for a writer that does not answer.
    looking: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    /// Why the ledger could not be written the last time.
    ledger: Option<String>,
    /// Why something else could not be.
    other: Option<String>,
    /// What is wrong with the database's place.
    displaced: Option<Displaced>,
    /// When a write went well.
    last: Option<Instant>,
}

/// Which writes one was of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// Claims and outcomes.
    Ledger,
    /// Anything else.
    Other,
}

impl Health {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a write went; gives the trouble that there is now, where that changed.
    pub(super) fn note(&self, of: Write, failed: Option<&StoreError>) -> Option<Option<String>> {
        // A request that is refused says nothing about the disk.
        if failed.is_some_and(StoreError::is_refused) {
            return None;
        }
        let mut known = self.known();
        let before = known.trouble();
        if failed.is_none() {
            known.last = Some(Instant::now());
        }
        let slot = match of {
            Write::Ledger => &mut known.ledger,
            Write::Other => &mut known.other,
        };
        *slot = failed.map(|error| error.what.clone());
        let now = known.trouble();
        (now != before).then_some(now)
    }

    /// Notes where the database's files are; gives whether that changed.
    pub(super) fn note_place(&self, displaced: Option<Displaced>) -> bool {
        let mut known = self.known();
        std::mem::replace(&mut known.displaced, displaced) != displaced
    }

    /// What is wrong with the database's place.
    pub(super) fn displaced(&self) -> Option<Displaced> {
        self.known().displaced
    }

    /// The trouble that there is now.
    pub(super) fn trouble(&self) -> Option<String> {
        self.known().trouble()
    }

    fn is_fresh(&self) -> bool {
        let known = self.known();
        known.other.is_none() && known.last.is_some_and(|last| last.elapsed() < FRESH)
    }
}

impl Known {
    fn trouble(&self) -> Option<String> {
        let displaced = self
            .displaced
            .map(|displaced| displaced.words().0.to_owned());
        displaced
            .or_else(|| self.ledger.clone())
            .or_else(|| self.other.clone())
    }
}

impl Store {
    /// Gives why the database can't be written, as a sentence without a full stop; `None` where it can.
    ///
    /// It is bounded in time, and where nothing was written for some seconds it writes something that means nothing.
    pub async fn trouble(&self) -> Option<String> {
        let health = &self.shared.health;
        if let Some(trouble) = health
            .known()
            .displaced
            .map(|displaced| displaced.words().0)
        {
            return Some(trouble.to_owned());
        }
        if health.is_fresh() {
            return health.trouble();
        }
        let stuck = || {
            let waited = PATIENCE.as_secs();
            Some(format!("a write has been waiting for more than {waited} s"))
        };
        if health.looking.swap(true, Ordering::AcqRel) {
            // Another look waits already: what that finds is soon known.
            let end = Instant::now() + PATIENCE;
            while health.looking.load(Ordering::Acquire) {
                if Instant::now() > end {
                    return stuck();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            return health.trouble();
        }
        let store = self.clone();
        let look = tokio::spawn(async move {
            let _ = store
                .write("trying whether it can be written", |_| {
                    Box::pin(async { Ok(()) })
                })
                .await;
            store.shared.health.looking.store(false, Ordering::Release);
        });
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(_) => health.trouble(),
            Err(_) => stuck(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::open;

    #[tokio::test]
    async fn a_failed_write_of_the_ledger_is_not_forgotten_for_another_that_went_well() {
        let (_dir, store) = open().await;
        let health = &store.shared.health;
        assert_eq!(store.trouble().await, None);
        let full = StoreError::from_sqlx(
            &sqlx::Error::PoolTimedOut,
            store.path(),
            "writing the ledger",
        );
        assert!(health.note(Write::Ledger, Some(&full)).is_some());
        assert!(health.note(Write::Other, None).is_none());
        assert_eq!(store.trouble().await, Some(full.what.clone()));
        assert_eq!(health.note(Write::Ledger, None), Some(None));
        assert_eq!(store.trouble().await, None);
        let refused = StoreError::refused("no");
        assert_eq!(health.note(Write::Other, Some(&refused)), None);
    }

    #[tokio::test]
    async fn a_writer_that_does_not_answer_is_told() {
        let (_dir, store) = open().await;
        let held = store.shared.writer.clone().lock_owned().await;
        let (one, other) = tokio::join!(store.trouble(), store.trouble());
        for said in [one, other] {
            assert!(
                said.is_some_and(|said| said.contains("waiting")),
                "a stuck writer"
            );
        }
        drop(held);
        while store.shared.health.looking.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert_eq!(store.trouble().await, None);
    }
}
