//! Rate limits, as far as they outlive a process: rates while they are used and what they learned, the author's
//! overrides, the days of a warm-up, and how quickly servers were found to take mails. What it means is left to `pace`.

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Result, Store, time_of};
use crate::model::rate::{LearnedRate, RelaySpeed, SavedRate};

impl Store {
    /// Every rate that was saved. What was learned before the author last overrode it no longer counts.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn saved_rates(&self) -> Result<Vec<SavedRate>> {
        let say = self.reading("reading how quickly mails went");
        let rows = sqlx::query(
            "SELECT m.name, m.due_at, CASE WHEN s.since > m.saved_at THEN NULL ELSE m.learnt END AS learnt, m.learnt_from,
                    m.saved_at, m.is_final
             FROM saved_rate m LEFT JOIN rate_override s ON s.name = m.name ORDER BY m.name",
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

    /// Saves rates, each in place of what was saved before; those of which nothing is worth keeping are deleted.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn save_rates(&self, measures: Vec<SavedRate>) -> Result<()> {
        self.write("noting how quickly mails go", move |c| {
            Box::pin(async move {
                for measure in measures {
                    sqlx::query("INSERT OR REPLACE INTO saved_rate VALUES (?, ?, ?, ?, ?, ?)")
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

    /// How quickly servers took mails, as far as it was measured.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn relay_speeds(&self) -> Result<Vec<RelaySpeed>> {
        let rows: Vec<(String, f64, i64)> =
            sqlx::query_as("SELECT server, mail_s, mails FROM relay_speed ORDER BY server")
                .fetch_all(self.readers())
                .await
                .map_err(self.reading("reading how quickly servers took mails"))?;
        let speed = |(server, mail_s, mails): (String, f64, i64)| RelaySpeed {
            server,
            mail_s,
            mails: u64::try_from(mails).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(speed).collect())
    }

    /// Saves how quickly servers take mails, each in place of what was saved before.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn save_relay_speeds(&self, speeds: Vec<RelaySpeed>, now: Timestamp) -> Result<()> {
        self.write("noting how quickly servers take mails", move |c| {
            Box::pin(async move {
                for speed in speeds {
                    sqlx::query("INSERT OR REPLACE INTO relay_speed VALUES (?, ?, ?, ?)")
                        .bind(speed.server)
                        .bind(speed.mail_s)
                        .bind(i64::try_from(speed.mails).unwrap_or(i64::MAX))
                        .bind(now.as_millisecond())
                        .execute(&mut *c)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The author's overrides: names with messages a minute, 0 without limit.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn rate_overrides(&self) -> Result<Vec<(String, u32)>> {
        sqlx::query_as("SELECT name, per_minute FROM rate_override ORDER BY name")
            .fetch_all(self.readers())
            .await
            .map_err(self.reading("reading which speed its author wants"))
    }

    /// Overrides a rate, in messages a minute; `None` goes back to the settings. A running daemon follows within a second.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn override_rate(
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
                        sqlx::query("INSERT OR REPLACE INTO rate_override VALUES (?, ?, ?)")
                            .bind(name)
                            .bind(per_minute)
                            .bind(now.as_millisecond())
                    }
                    None => sqlx::query("DELETE FROM rate_override WHERE name = ?").bind(name),
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
    pub async fn warmup_days(&self, relay: &str, day: i64) -> Result<(u32, u64)> {
        let (days, given): (i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE day < ?2), coalesce(sum(given) FILTER (WHERE day = ?2), 0)
             FROM warmup_day WHERE relay = ?1 AND given > 0",
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
    pub async fn save_warmup_day(&self, relay: &str, day: i64, given: u64) -> Result<()> {
        let (relay, given) = (relay.to_owned(), i64::try_from(given).unwrap_or(i64::MAX));
        self.write("noting how far a relay is warmed up", move |c| {
            Box::pin(async move {
                sqlx::query("INSERT OR REPLACE INTO warmup_day VALUES (?, ?, ?)")
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
            .save_rates(vec![SavedRate {
                due_at: None,
                ..measure.clone()
            }])
            .await
            .unwrap();
        store.save_rates(vec![measure.clone()]).await.unwrap();
        assert_eq!(store.saved_rates().await.unwrap(), [measure]);
        store
            .override_rate("relay:main", Some(60), t(1))
            .await
            .unwrap();
        store
            .override_rate("relay:main", Some(0), t(2))
            .await
            .unwrap();
        assert_eq!(
            store.rate_overrides().await.unwrap(),
            [("relay:main".to_owned(), 0)]
        );
        store.override_rate("relay:main", None, t(2)).await.unwrap();
        assert_eq!(store.rate_overrides().await.unwrap(), []);
    }

    #[tokio::test]
    async fn days_are_those_on_which_something_was_given() {
        let (_dir, store) = open().await;
        assert_eq!(store.warmup_days("main", 20_000).await.unwrap(), (0, 0));
        for (day, given) in [
            (19_990, 50),
            (19_995, 0),
            (20_000, 10),
            (20_000, 20),
            (20_001, 7),
        ] {
            store.save_warmup_day("main", day, given).await.unwrap();
        }
        assert_eq!(store.warmup_days("main", 20_000).await.unwrap(), (1, 20));
        assert_eq!(store.warmup_days("other", 20_000).await.unwrap(), (0, 0));
    }
}
