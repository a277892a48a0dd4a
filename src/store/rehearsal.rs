//! A copy of the database on which a send can be tried: whatever waits in it is taken out, so that nothing but the
//! rehearsal goes on there.

use std::path::Path;

use super::{Result, Store};
use crate::model::delivery::{Event, State, step};
use crate::model::sending::IssueState;

impl Store {
    /// Copies the database to a file that does not exist yet, and opens the copy with nothing to send in it.
    ///
    /// # Errors
    /// [`super::StoreError`] where it can't be copied, such as for want of space.
    pub async fn rehearsal_copy(&self, to: &Path) -> Result<Store> {
        self.backup(to).await?;
        let copy = Store::open(to).await?;
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
}
