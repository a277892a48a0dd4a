//! How an issue is shown: the line of totals that scripts read, its name, and its list's time zone.

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
    pub reason: Option<String>,
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
            reason: row.reason.as_ref().map(ToString::to_string),
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

/// The zone of an issue's list; UTC where the settings no longer name the list.
pub(super) fn zone_of(lists: &[List], issue: &IssueRow) -> TimeZone {
    lists
        .iter()
        .find(|list| list.key == issue.list)
        .map_or(TimeZone::UTC, |list| list.zone.clone())
}
