//! How an issue is shown: the line of totals that scripts read, its name, and moments by its list's clocks.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::model::List;
use crate::model::delivery::Totals;
use crate::store::issues::IssueRow;

/// An issue's totals as scripts read them. `planned` is the sum of the states at every instant.
#[derive(Debug, Serialize)]
pub(super) struct IssueSummary<'a> {
    /// The slug.
    pub issue: &'a str,
    pub list: &'a str,
    pub number: Option<u32>,
    pub state: &'static str,
    pub reason: Option<&'a str>,
    pub planned: u64,
    #[serde(flatten)]
    pub totals: Totals,
    pub title: &'a str,
    pub due_at: String,
}

impl<'a> IssueSummary<'a> {
    pub(super) fn of(row: &'a IssueRow) -> Self {
        Self {
            issue: &row.slug,
            list: &row.list,
            number: row.number,
            state: row.state.word(),
            reason: row.reason.as_deref(),
            planned: row.totals.planned(),
            totals: row.totals,
            title: &row.title,
            due_at: row.due_at.to_string(),
        }
    }
}

/// How people call an issue: `No. 22`, or its slug where it has no number.
pub(super) fn name(row: &IssueRow) -> String {
    super::refusal::name(&row.into())
}

/// A moment as the list's readers' clocks show it, with the zone.
pub(super) fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M %Z")
        .to_string()
}

/// The zone of an issue's list; UTC where the settings no longer name the list.
pub(super) fn zone_of(lists: &[List], issue: &IssueRow) -> TimeZone {
    lists
        .iter()
        .find(|list| list.key == issue.list)
        .map_or(TimeZone::UTC, |list| list.zone.clone())
}

/// A reason with its moments as the list's clocks show them; what it quotes of a server stays word for word.
pub(super) fn in_local_time(reason: &str, zone: &TimeZone) -> String {
    let mut is_quoted = false;
    let shown = reason.split(' ').map(|word| {
        is_quoted |= word.contains('“');
        let bare = word.trim_end_matches([',', ';', '.']);
        let moment = bare
            .ends_with('Z')
            .then(|| bare.parse().ok())
            .flatten()
            .filter(|_| !is_quoted);
        is_quoted &= !word.contains('”');
        moment.map_or_else(
            || word.to_owned(),
            |at| local_time(at, zone) + &word[bare.len()..],
        )
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_by_the_lists_clocks_and_servers_are_quoted_word_for_word() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (written, shown) in [
            (
                "pause between two batches until 2026-11-25T23:30:00Z",
                "pause between two batches until 2026-11-26 00:30 CET",
            ),
            (
                "“450 wait until 2026-07-01T08:00:00Z please”; rests until 2026-07-01T08:00:00Z, the others go on",
                "“450 wait until 2026-07-01T08:00:00Z please”; rests until 2026-07-01 10:00 CEST, the others go on",
            ),
            (
                "paused by anna with “letterpress pause” at 2026-11-27T15:04:05Z",
                "paused by anna with “letterpress pause” at 2026-11-27 16:04 CET",
            ),
            ("the relay Z rests", "the relay Z rests"),
        ] {
            assert_eq!(in_local_time(written, &berlin), shown);
        }
    }
}
