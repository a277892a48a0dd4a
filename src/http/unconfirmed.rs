//! Keeps what sign-ups leave behind within bounds: how many may wait to be confirmed, and when they are removed.
//!
//! A form that anybody can send must not fill the disk. Rows are `store`'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Site;
use crate::store::{Store, StoreError};

/// How many sign-ups may wait to be confirmed; further ones are refused.
const MOST: u64 = 100_000;
/// How often old ones are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// The sender comes first: a pause after each transaction.
const PAUSE: Duration = Duration::from_millis(200);
/// How long after its link expired a sign-up is still known, so that the page behind the link can say so.
const KEPT_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long the link of a list is taken to work that the settings no longer name.
const EXPIRY_OF_UNKNOWN: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long the content of a mail is kept that is over.
const CONTENT_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How many sign-ups wait, as far as is known: counted now and then, and raised by each one.
#[derive(Default)]
pub(super) struct Unconfirmed {
    count: AtomicU64,
}

impl Unconfirmed {
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, count: u64) {
        self.count.store(count, Ordering::Relaxed);
    }

    pub(super) fn one_more(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn are_too_many(&self) -> bool {
        self.count() >= MOST
    }
}

/// Removes what sign-ups left behind that were never confirmed, now and then until `shutdown`. A failure is logged, and
/// the next time is another try.
pub(crate) async fn tidy(site: Arc<Site>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Some(Err(error)) = shutdown.run_until_cancelled(tidy_once(&site)).await {
            tracing::warn!("old sign-ups can't be removed yet: {error}");
        }
        shutdown
            .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
            .await;
    }
}

async fn tidy_once(site: &Site) -> Result<(), StoreError> {
    let (store, now) = (&site.store, site.clock.now());
    let mut removed = 0;
    for list in store.lists().await?.into_values() {
        let works_for = site
            .list(list)
            .map_or(EXPIRY_OF_UNKNOWN, |list| list.confirm_within);
        let before = expired_before(now, works_for);
        let mut next = Some(Default::default());
        while let Some(cursor) = next {
            let page = store.remove_unconfirmed(list, before, cursor).await?;
            removed += page.count;
            next = page.next;
            if next.is_some() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    if removed > 0 {
        tracing::info!("{removed} sign-ups were removed that were never confirmed");
    }
    empty_mails(store, now).await?;
    site.unconfirmed.set(store.unconfirmed(MOST).await?);
    Ok(())
}

async fn empty_mails(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let before = now.saturating_sub(CONTENT_KEPT).unwrap_or(Timestamp::MIN);
    while store.empty_system_mails(before).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Sign-ups of before this time are removed.
fn expired_before(now: Timestamp, works_for: Duration) -> Timestamp {
    let kept = SignedDuration::try_from(works_for)
        .unwrap_or(SignedDuration::MAX)
        .saturating_add(KEPT_AFTER_EXPIRY);
    now.checked_sub(kept).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::Web;

    #[tokio::test]
    async fn a_sign_up_is_removed_a_week_after_its_link_expired() {
        let web = Web::new().await;
        let who = web.pending("a@readers.example").await;
        web.store.send_all_system_mails().await;
        // The link works for three days.
        for (hours, is_known) in [(0, true), (10 * 24 - 1, true), (2, false)] {
            web.wait(hours);
            tidy_once(&web.site).await.unwrap();
            let known = web.store.subscriber(who).await.unwrap();
            assert_eq!(known.is_some(), is_known, "{hours}");
            assert_eq!(web.site.unconfirmed.count(), u64::from(is_known));
        }
    }
}
