//! A copy of the database on which a send can be tried: whatever waits in it is taken out, so that nothing but the
//! rehearsal goes on there.

use std::path::Path;

use super::{Result, Store};
use crate::model::IssueId;
use crate::model::delivery::{Event, State, step};
use crate::model::sending::IssueState;

impl Store {
    /// Copies the database to a file that does not exist yet, and opens the copy with nothing to send in it.
    ///
    /// # Errors
    /// [`super::StoreError`] where it can't be copied, such as for want of space.
    pub async fn rehearsal_copy(&self, to: &Path) -> Result<Store> {
        self.copy(to).await?;
        let copy = Store::open_scratch(to).await?;
        copy.write("emptying the rehearsal's copy", move |c| {
            Box::pin(async move {
                for state in IssueState::ALL.into_iter().filter(|state| !state.is_over()) {
                    sqlx::query("UPDATE issue SET state = ? WHERE state = ?")
                        .bind(IssueState::Cancelled.word())
                        .bind(state.word())
                        .execute(&mut *c)
                        .await?;
                }
                // Those who wait in them are left as they are: nobody looks at them here.
                sqlx::query(
                    "UPDATE issue SET fanout_after = NULL, queued = 0, sending = 0, deferred = 0 WHERE state = ?",
                )
                .bind(IssueState::Cancelled.word())
                .execute(&mut *c)
                .await?;
                // Into the sink mails go as quickly as they can.
                for sql in ["DELETE FROM saved_rate", "DELETE FROM rate_override", "DELETE FROM warmup_day"] {
                    sqlx::query(sql).execute(&mut *c).await?;
                }
                for state in [State::Queued, State::Deferred, State::Sending] {
                    let to = step(state, Event::Cancel).unwrap_or(State::Uncertain);
                    sqlx::query("UPDATE system_mail SET state = ? WHERE state = ?")
                        .bind(to as i64)
                        .bind(state as i64)
                        .execute(&mut *c)
                        .await?;
                }
                Ok(())
            })
        })
        .await?;
        Ok(copy)
    }

    /// Writes something into a copy that means nothing there, to see whether its disk takes it. It must be a change:
    /// SQLite writes no page that stays as it was.
    ///
    /// # Errors
    /// [`super::StoreError`] where it does not.
    pub async fn try_writing(&self) -> Result<()> {
        self.write_at_once(
            "trying to write",
            sqlx::query("UPDATE list SET created_at = created_at + 1"),
        )
        .await?;
        Ok(())
    }

    /// How many people of an issue's audience are at each domain.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn audience_by_domain(&self, issue: IssueId) -> Result<Vec<(String, u64)>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT lower(substr(p.email, instr(p.email, '@') + 1)) AS domain, count(*)
             FROM delivery d JOIN subscriber p ON p.id = d.subscriber_id WHERE d.issue_id = ? GROUP BY domain",
        )
        .bind(issue.0)
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("counting who is where"))?;
        Ok(rows
            .into_iter()
            .map(|(domain, n)| (domain, u64::try_from(n).unwrap_or_default()))
            .collect())
    }
}
