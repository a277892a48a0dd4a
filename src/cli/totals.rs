//! The line of totals that scripts read: one JSON object an issue.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::model::delivery::Totals;
use crate::store::issues::IssueRow;

/// FACE's line of totals. `planned` is the sum of the states, at every instant.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
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

impl<'a> Line<'a> {
    pub fn of(row: &'a IssueRow) -> Self {
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
pub fn name(row: &IssueRow) -> String {
    row.number.map_or_else(|| row.slug.clone(), |number| format!("No. {number}"))
}

/// A moment as the list's readers' clocks show it, with the zone.
pub fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
