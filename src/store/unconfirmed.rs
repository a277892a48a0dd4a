//! Sign-ups that were never confirmed: how many there are, and their end.
//!
//! Anybody can type any address into a form, so what that leaves behind must not stay for ever. Gone are the rows of a
//! person of whom nothing else is known than that somebody asked: who confirmed, was added or imported, or left, keeps
//! theirs, and so does somebody whose confirmation mail still waits. What it leaves to others: when it is time (`http`).

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Result, Store};
use crate::model::{ListId, SubscriberId};

/// What is being done where one of these queries fails.
const REMOVING: &str = "removing sign-ups that were never confirmed";
/// How many are removed in one transaction, which the sender may have to wait for.
const AT_ONCE: i64 = 200;

/// A page of the sign-ups of a list that were made before a time, after a place in their order.
const OLD: &str = "SELECT subscriber_id, asked_at FROM subscription INDEXED BY subscription_pending
    WHERE list_id = ?1 AND state = 0 AND asked_at IS NOT NULL AND asked_at < ?2
      AND (asked_at, subscriber_id) > (?3, ?4)
    ORDER BY asked_at, subscriber_id LIMIT ?5";
/// Mails that are over and still carry their content.
const OVER: &str = "SELECT id FROM system_mail INDEXED BY system_mail_over
    WHERE state NOT IN (0, 1, 3) AND rendered <> '' AND at < ?1 LIMIT ?2";
/// Its person may have confirmed, or asked again, since the page was read.
const REMOVE: &str = "DELETE FROM subscription
    WHERE list_id = ?1 AND subscriber_id = ?2 AND state = 0 AND asked_at = ?3
      AND NOT EXISTS (SELECT 1 FROM consent AS c WHERE c.subscriber_id = ?2 AND c.list_id = ?1
                      AND (c.event <> 'asked' OR c.how NOT IN ('form', 'json')))
      AND NOT EXISTS (SELECT 1 FROM system_mail AS m WHERE m.subscriber_id = ?2 AND m.list_id = ?1
                      AND m.state IN (0, 1, 3))";
/// What runs while mails go out, for a look at how SQLite would do it.
#[cfg(test)]
pub(super) const HOT: [&str; 3] = [OLD, OVER, REMOVE];

/// Where in the order of sign-ups the next page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    asked_at: i64,
    who: i64,
}

/// One page of old sign-ups, dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// How many were removed.
    pub count: u64,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Cursor>,
}

impl Store {
    /// How many sign-ups wait to be confirmed, counted up to `most`.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn unconfirmed(&self, most: u64) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM subscription INDEXED BY subscription_pending
             WHERE state = 0 AND asked_at IS NOT NULL LIMIT ?)",
        )
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_one(self.readers())
        .await
        .map_err(self.reading("counting sign-ups"))?;
        Ok(count.unsigned_abs())
    }

    /// Removes a page of the sign-ups of a list that were made `before` and never confirmed: the person, where nothing
    /// else is known of them, the subscription, its consent records and its mails.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read or written; then none of the page was removed.
    pub async fn remove_unconfirmed(
        &self,
        list: ListId,
        before: Timestamp,
        after: Cursor,
    ) -> Result<Removed> {
        let page: Vec<(i64, i64)> = sqlx::query_as(OLD)
            .bind(list.0)
            .bind(before.as_millisecond())
            .bind(after.asked_at)
            .bind(after.who)
            .bind(AT_ONCE)
            .fetch_all(self.readers())
            .await
            .map_err(self.reading(REMOVING))?;
        let Some(&(who, asked_at)) = page.last() else {
            let next = None;
            return Ok(Removed { count: 0, next });
        };
        let is_last = (page.len() as i64) < AT_ONCE;
        let count = self
            .write(REMOVING, move |c| {
                Box::pin(async move {
                    let mut count = 0;
                    for (who, asked_at) in page {
                        count += remove(c, list, SubscriberId(who), asked_at).await?;
                    }
                    Ok(count)
                })
            })
            .await?;
        Ok(Removed {
            count,
            next: (!is_last).then_some(Cursor { asked_at, who }),
        })
    }

    /// Empties the content of some system mails that were over `before` a time; gives how many.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read or written.
    pub async fn empty_system_mails(&self, before: Timestamp) -> Result<usize> {
        let over: Vec<i64> = sqlx::query_scalar(OVER)
            .bind(before.as_millisecond())
            .bind(AT_ONCE)
            .fetch_all(self.readers())
            .await
            .map_err(self.reading(REMOVING))?;
        if over.is_empty() {
            return Ok(0);
        }
        let count = over.len();
        self.write(REMOVING, move |c| {
            Box::pin(async move {
                for id in over {
                    sqlx::query(
                        "UPDATE system_mail SET rendered = '' WHERE id = ? AND state NOT IN (0, 1, 3)",
                    )
                    .bind(id)
                    .execute(&mut *c)
                    .await?;
                }
                Ok(())
            })
        })
        .await?;
        Ok(count)
    }
}

/// Removes one sign-up, unless more is known of it; gives how many that were.
async fn remove(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    asked_at: i64,
) -> Result<u64> {
    let removed = sqlx::query(REMOVE)
        .bind(list.0)
        .bind(who.0)
        .bind(asked_at)
        .execute(&mut *c)
        .await?
        .rows_affected();
    if removed == 0 {
        return Ok(0);
    }
    for sql in [
        "DELETE FROM consent WHERE subscriber_id = ?1 AND list_id = ?2",
        "DELETE FROM system_mail WHERE subscriber_id = ?1 AND list_id = ?2",
    ] {
        sqlx::query(sql)
            .bind(who.0)
            .bind(list.0)
            .execute(&mut *c)
            .await?;
    }
    // Who never agreed to anything never was sent an issue, so the ledger does not name them.
    sqlx::query(
        "DELETE FROM subscriber WHERE id = ?1 AND tags = ''
         AND NOT EXISTS (SELECT 1 FROM subscription WHERE subscriber_id = ?1)
         AND NOT EXISTS (SELECT 1 FROM consent WHERE subscriber_id = ?1)
         AND NOT EXISTS (SELECT 1 FROM system_mail WHERE subscriber_id = ?1)",
    )
    .bind(who.0)
    .execute(c)
    .await?;
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Rendered;
    use crate::model::subscription::{Consent, ConsentMethod, SubscriptionState};
    use crate::store::testing::{address, column, consent, meddle, open_with_list, t};

    async fn sign_up(store: &Store, list: ListId, email: &str, seconds: i64) -> SubscriberId {
        let email = address(email);
        let asked = Consent {
            at: t(seconds),
            how: ConsentMethod::Form,
            network: None,
        };
        let quiet = Duration::ZERO;
        store
            .sign_up(list, &email, "Ann", asked, Rendered::empty(), quiet)
            .await
            .unwrap();
        store.find_subscriber(&email).await.unwrap().unwrap().id
    }

    async fn counts(store: &Store) -> Vec<String> {
        let mut counts = Vec::new();
        for table in ["subscriber", "subscription", "consent", "system_mail"] {
            counts.extend(
                column(
                    store,
                    &format!("SELECT CAST(count(*) AS TEXT) FROM {table}"),
                )
                .await,
            );
        }
        counts
    }

    /// Every mail has been sent.
    const ALL_SENT: &str = "UPDATE system_mail SET state = 2, at = queued_at";

    #[tokio::test]
    async fn old_sign_ups_leave_nothing_behind_and_new_ones_stay() {
        let (_dir, store, list) = open_with_list().await;
        for n in 0..450 {
            sign_up(&store, list, &format!("old{n}@readers.example"), n / 7).await;
        }
        sign_up(&store, list, "new@readers.example", 1000).await;
        meddle(&store, ALL_SENT).await;
        assert_eq!(store.unconfirmed(10_000).await.unwrap(), 451);
        assert_eq!(store.unconfirmed(10).await.unwrap(), 10);
        let (mut after, mut removed) = (Cursor::default(), Vec::new());
        loop {
            let page = store
                .remove_unconfirmed(list, t(1000), after)
                .await
                .unwrap();
            removed.push(page.count);
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!(removed, [200, 200, 50]);
        assert_eq!(counts(&store).await, ["1", "1", "1", "1"]);
        assert_eq!(store.unconfirmed(10_000).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn who_is_known_for_more_than_that_somebody_asked_stays() {
        let (_dir, store, list) = open_with_list().await;
        let confirmed = sign_up(&store, list, "confirmed@readers.example", 0).await;
        let within = Duration::from_secs(3600);
        store
            .confirm(list, confirmed, consent(), within)
            .await
            .unwrap();
        let left = sign_up(&store, list, "left@readers.example", 0).await;
        store.unsubscribe(list, left, consent()).await.unwrap();
        sign_up(&store, list, "left@readers.example", 5).await;
        let added = address("added@readers.example");
        store.add(list, &added, "", consent()).await.unwrap();
        let waits = sign_up(&store, list, "waits@readers.example", 0).await;
        let before = counts(&store).await;
        // Only one mail is still to be sent.
        meddle(
            &store,
            "UPDATE system_mail SET state = 2 WHERE subscriber_id <>
             (SELECT id FROM subscriber WHERE email = 'waits@readers.example')",
        )
        .await;
        let page = store
            .remove_unconfirmed(list, t(100), Cursor::default())
            .await
            .unwrap();
        assert_eq!((page.count, page.next), (0, None));
        assert_eq!(counts(&store).await, before);
        let state = |who| {
            let store = &store;
            async move { store.membership(list, who).await.unwrap().unwrap().state }
        };
        assert_eq!(state(confirmed).await, SubscriptionState::Active);
        assert_eq!(state(left).await, SubscriptionState::Pending);
        assert_eq!(state(waits).await, SubscriptionState::Pending);
    }

    #[tokio::test]
    async fn somebody_of_another_list_stays_a_person() {
        let (_dir, store, list) = open_with_list().await;
        let other = store
            .ensure_lists(&["daily".to_owned()], t(0))
            .await
            .unwrap()["daily"];
        let who = sign_up(&store, list, "a@readers.example", 0).await;
        let email = address("a@readers.example");
        store.add(other, &email, "", consent()).await.unwrap();
        meddle(&store, ALL_SENT).await;
        store
            .remove_unconfirmed(list, t(100), Cursor::default())
            .await
            .unwrap();
        let person = store.subscriber(who).await.unwrap().unwrap();
        let lists: Vec<_> = person.subscriptions.iter().map(|s| &s.list).collect();
        assert_eq!(lists, ["daily"]);
    }

    #[tokio::test]
    async fn a_mail_that_is_over_loses_its_content_and_one_that_waits_keeps_it() {
        let (_dir, store, list) = open_with_list().await;
        for n in 0..3 {
            sign_up(&store, list, &format!("r{n}@readers.example"), n).await;
        }
        meddle(
            &store,
            "UPDATE system_mail SET state = 2, at = queued_at WHERE id < 3",
        )
        .await;
        assert_eq!(store.empty_system_mails(t(1)).await.unwrap(), 1);
        assert_eq!(store.empty_system_mails(t(500)).await.unwrap(), 1);
        assert_eq!(store.empty_system_mails(t(500)).await.unwrap(), 0);
        let empty = "SELECT CAST(id AS TEXT) FROM system_mail WHERE rendered = '' ORDER BY id";
        assert_eq!(column(&store, empty).await, ["1", "2"]);
    }
}
