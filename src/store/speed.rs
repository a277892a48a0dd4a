//! How quickly mails go, as far as it outlives a process: measures and what they learnt, the author's word, and the
//! days of a warm-up. What it means is left to `pace`.

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Result, Store, time_of};
use crate::model::rate::{LearnedRate, SavedRate};

impl Store {
    /// Every measure that was written down. What was learnt before its author's last word on it counts no more.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn measures(&self) -> Result<Vec<SavedRate>> {
        let say = self.reading("reading how quickly mails went");
        let rows = sqlx::query(
            "SELECT m.name, m.due_at, CASE WHEN s.since > m.saved_at THEN NULL ELSE m.learnt END AS learnt, m.learnt_from,
                    m.saved_at, m.is_final
             FROM measure m LEFT JOIN speed s ON s.name = m.name ORDER BY m.name",
        )
        .fetch_all(self.readers())
        .await
        .map_err(&say)?;
        let measure = |row: &sqlx::sqlite::SqliteRow| {
            let learnt: Option<f64> = row.try_get("learnt")?;
            let from: Option<f64> = row.try_get("learnt_from")?;
            Ok(SavedRate {
                name: row.try_get("name")?,
                due_at: row.try_get::<Option<i64>, _>("due_at")?.map(time_of),
                learned: learnt.zip(from).map(|(per_minute, ceiling)| LearnedRate {
                    per_minute,
                    ceiling,
                }),
                saved_at: time_of(row.try_get("saved_at")?),
                is_final: row.try_get("is_final")?,
            })
        };
        rows.iter()
            .map(measure)
            .collect::<sqlx::Result<_>>()
            .map_err(say)
    }

    /// Writes measures down, each in place of what was written before; those of which nothing is left to say go.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn keep_measures(&self, measures: Vec<SavedRate>) -> Result<()> {
        self.write("noting how quickly mails go", move |c| {
            Box::pin(async move {
                for measure in measures {
                    sqlx::query("INSERT OR REPLACE INTO measure VALUES (?, ?, ?, ?, ?, ?)")
                        .bind(measure.name)
                        .bind(measure.due_at.map(Timestamp::as_millisecond))
                        .bind(measure.learned.map(|rate| rate.per_minute))
                        .bind(measure.learned.map(|rate| rate.ceiling))
                        .bind(measure.saved_at.as_millisecond())
                        .bind(measure.is_final)
                        .execute(&mut *c)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The author's word: names with messages a minute, 0 without limit.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn speeds(&self) -> Result<Vec<(String, u32)>> {
        sqlx::query_as("SELECT name, per_minute FROM speed ORDER BY name")
            .fetch_all(self.readers())
            .await
            .map_err(self.reading("reading which speed its author wants"))
    }

    /// Notes the author's word on a speed; `None` takes it back. A running daemon follows within a second.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn set_speed(
        &self,
        name: &str,
        per_minute: Option<u32>,
        now: Timestamp,
    ) -> Result<()> {
        let name = name.to_owned();
        self.write("noting which speed its author wants", move |c| {
            Box::pin(async move {
                let query = match per_minute {
                    Some(per_minute) => {
                        sqlx::query("INSERT OR REPLACE INTO speed VALUES (?, ?, ?)")
                            .bind(name)
                            .bind(per_minute)
                            .bind(now.as_millisecond())
                    }
                    None => sqlx::query("DELETE FROM speed WHERE name = ?").bind(name),
                };
                query.execute(c).await?;
                Ok(())
            })
        })
        .await
    }

    /// On how many days before `day` a relay was given something, and what it may have been given on that day.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn warm_up(&self, relay: &str, day: i64) -> Result<(u32, u64)> {
        let (days, given): (i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE day < ?2), coalesce(sum(given) FILTER (WHERE day = ?2), 0)
             FROM warm_up WHERE relay = ?1 AND given > 0",
        )
        .bind(relay.to_owned())
        .bind(day)
        .fetch_one(self.readers())
        .await
        .map_err(self.reading("reading how far a relay is warmed up"))?;
        Ok((
            u32::try_from(days).unwrap_or(u32::MAX),
            u64::try_from(given).unwrap_or_default(),
        ))
    }

    /// Notes how many mails a relay may have been given on a day, all in all.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed, and no more may be given.
    pub async fn note_warm_up(&self, relay: &str, day: i64, given: u64) -> Result<()> {
        let (relay, given) = (relay.to_owned(), i64::try_from(given).unwrap_or(i64::MAX));
        self.write("noting how far a relay is warmed up", move |c| {
            Box::pin(async move {
                sqlx::query("INSERT OR REPLACE INTO warm_up VALUES (?, ?, ?)")
                    .bind(relay)
                    .bind(day)
                    .bind(given)
                    .execute(c)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{open, t};

    #[tokio::test]
    async fn what_was_written_is_read() {
        let (_dir, store) = open().await;
        let measure = SavedRate {
            name: "relay:main".into(),
            due_at: Some(t(5)),
            learned: Some(LearnedRate {
                per_minute: 30.0,
                ceiling: 120.5,
            }),
            saved_at: t(1),
            is_final: false,
        };
        store
            .keep_measures(vec![SavedRate {
                due_at: None,
                ..measure.clone()
            }])
            .await
            .unwrap();
        store.keep_measures(vec![measure.clone()]).await.unwrap();
        assert_eq!(store.measures().await.unwrap(), [measure]);
        store.set_speed("relay:main", Some(60), t(1)).await.unwrap();
        store.set_speed("relay:main", Some(0), t(2)).await.unwrap();
        assert_eq!(
            store.speeds().await.unwrap(),
            [("relay:main".to_owned(), 0)]
        );
        store.set_speed("relay:main", None, t(2)).await.unwrap();
        assert_eq!(store.speeds().await.unwrap(), []);
    }

    #[tokio::test]
    async fn days_are_those_on_which_something_was_given() {
        let (_dir, store) = open().await;
        assert_eq!(store.warm_up("main", 20_000).await.unwrap(), (0, 0));
        for (day, given) in [
            (19_990, 50),
            (19_995, 0),
            (20_000, 10),
            (20_000, 20),
            (20_001, 7),
        ] {
            store.note_warm_up("main", day, given).await.unwrap();
        }
        assert_eq!(store.warm_up("main", 20_000).await.unwrap(), (1, 20));
        assert_eq!(store.warm_up("other", 20_000).await.unwrap(), (0, 0));
    }
}
