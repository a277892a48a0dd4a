//! Following a send to its end, for `send --wait` and `demo`.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::IssueId;
use crate::model::sending::IssueState;
use crate::operate::issues;
use crate::store::Store;
use crate::store::issues::IssueRow;

use super::progress::{BETWEEN_LINES, Progress};
use super::totals::name;
use super::{Answer, Failure};

const LOOK_EVERY: Duration = Duration::from_millis(150);

/// What was said last of why it waits, and when. A scheduler that goes to and fro between reasons, or between one and
/// none, would else fill the screen.
#[derive(Default)]
struct Said {
    last: Option<(String, Duration)>,
}

impl Said {
    /// Whether this reason is to be said `now`: it is another one, and the last line is some seconds old.
    fn takes(&mut self, reason: &str, now: Duration) -> bool {
        let is_due = self
            .last
            .as_ref()
            .is_none_or(|(said, at)| said != reason && now >= *at + BETWEEN_LINES);
        if is_due {
            self.last = Some((reason.to_owned(), now));
        }
        is_due
    }
}

/// A send that has come to an end, or stands still until its author acts.
pub(super) struct Ended {
    pub row: IssueRow,
    pub took: Duration,
}

/// Watches an issue until it is done, cancelled, paused or held. What it waits for is told by the clocks of `zone`.
///
/// # Errors
/// The daemon ended before the send did, or the issue was taken away.
pub(super) async fn to_its_end(
    store: &Store,
    id: IssueId,
    zone: &TimeZone,
) -> Result<Ended, Failure> {
    let mut progress = Progress::begin();
    let mut daemon_seen_gone = false;
    let mut said = Said::default();
    loop {
        let Some(row) = issues::get(store, id).await? else {
            return Err(Failure::no("the issue was replaced or deleted meanwhile"));
        };
        let waits = matches!(row.state, IssueState::Scheduled | IssueState::Sending);
        // What is cancelled still ends its mails in flight.
        let in_flight = row.totals.sending > 0 || row.is_half_cancelled();
        if !waits && !in_flight {
            progress.end();
            let took = duration(&row).unwrap_or(progress.elapsed());
            return Ok(Ended { row, took });
        }
        let planned = row.totals.planned();
        if planned > 0 {
            progress.show(planned - row.totals.open(), planned);
        }
        if let Some(why) = row.reason.as_ref().map(|why| why.in_zone(zone))
            && said.takes(&why, progress.elapsed())
        {
            progress.say(&format!("{} waits: {why}", name(&row)));
        }
        // Twice, since a daemon that is restarted is gone for a moment.
        let gone = !issues::is_daemon_running(store.path());
        if gone && daemon_seen_gone {
            return Err(Failure::no(
                "the daemon stopped before the send ended; the rest stays queued",
            )
            .at(store.path().display().to_string())
            .help("Start it again with `letterpress serve`: it continues by itself."));
        }
        daemon_seen_gone = gone;
        tokio::time::sleep(if gone { LOOK_EVERY * 10 } else { LOOK_EVERY }).await;
    }
}

/// From the first look at the audience to the last answer.
pub(super) fn duration(row: &IssueRow) -> Option<Duration> {
    Duration::try_from(row.ended_at?.duration_since(row.started_at?)).ok()
}

/// Whether every mail arrived, as far as SMTP can say.
pub(super) fn answer(row: &IssueRow) -> Answer {
    let t = &row.totals;
    let all_there =
        row.state == IssueState::Done && t.failed + t.uncertain + t.cancelled + t.open() == 0;
    if all_there { Answer::Done } else { Answer::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_once_and_another_one_after_ten_seconds() {
        let at = Duration::from_secs;
        let mut said = Said::default();
        assert!(said.takes("its relay rests", at(1)));
        assert!(
            !said.takes("its relay rests", at(2)),
            "also where it was gone between"
        );
        assert!(!said.takes("its relay rests", at(60)));
        assert!(said.takes("the day's mails are out", at(61)));
        assert!(
            !said.takes("its relay rests", at(70)),
            "too soon after the last line"
        );
        assert!(said.takes("its relay rests", at(71)));
    }
}
