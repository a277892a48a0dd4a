//! Every issue's totals under each other, and why each stands where it does.

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr as _;

use crate::format::count;
use crate::format::reason::local_time;
use crate::model::List;
use crate::model::delivery::{State, Totals};
use crate::model::sending::IssueState;
use crate::model::waiting::Reason;
use crate::operate::issues;
use crate::people::spreadsheet::harmless;
use crate::store::Store;
use crate::store::issues::IssueRow;

use super::layout::{table, wrap};
use super::totals::zone_of;

/// Replaces the reasons of issues that are being sent where no daemon runs, or where it can't write the database: what was
/// noted beside them is old.
pub(super) fn without_a_daemon(rows: &mut [IssueRow], store: &Store) {
    let is_sending = |row: &IssueRow| row.state == IssueState::Sending;
    if !rows.iter().any(is_sending) {
        return;
    }
    let reason = if !issues::is_daemon_running(store.path()) {
        Some(Reason::NoDaemon)
    } else {
        let trouble = store.trouble_of_daemon();
        trouble.map(|why| Reason::CannotWrite { why })
    };
    if let Some(reason) = reason {
        for row in rows.iter_mut().filter(|row| is_sending(row)) {
            row.reason = Some(reason.clone());
        }
    }
}

/// Why an issue stands where it does: the reason that was written beside it, or when it is due.
pub(super) fn because(issue: &IssueRow, zone: &TimeZone) -> Option<String> {
    let due = || {
        (issue.state == IssueState::Scheduled)
            .then(|| format!("due at {}", local_time(issue.due_at, zone)))
    };
    issue
        .reason
        .as_ref()
        .map(|reason| reason.in_zone(zone))
        .or_else(due)
}

/// For people, in a number of columns; below each row, why the issue stands where it does.
pub(super) fn as_table(rows: &[IssueRow], lists: &[List], width: usize) -> String {
    // The same number may stand in two lists.
    let several = rows.iter().any(|row| row.list != rows[0].list);
    let shown = columns(rows);
    let cells = |row: &IssueRow| {
        let mut cells = vec![row.slug.clone(), row.state.word().to_owned()];
        if several {
            cells.insert(1, row.list.clone());
        }
        cells.extend(shown.iter().map(|(_, figure)| count(figure(&row.totals))));
        cells
    };
    let mut head = vec!["issue", "state"];
    if several {
        head.insert(1, "list");
    }
    head.extend(shown.iter().map(|(name, _)| *name));
    let rows_set: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let text = table(&head, &rows_set);
    if text.lines().any(|line| line.width() > width) {
        return as_paragraphs(rows, lists, several);
    }
    let mut out = String::new();
    for (i, line) in text.lines().enumerate() {
        out.push_str(line);
        out.push('\n');
        if let Some(reason) = i
            .checked_sub(1)
            .and_then(|i| because(&rows[i], &zone_of(lists, &rows[i])))
        {
            out.push_str(&wrap(&reason, "  ", 2));
            out.push('\n');
        }
    }
    out
}

/// For people where a table has no room: a paragraph for each issue.
fn as_paragraphs(rows: &[IssueRow], lists: &[List], several: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let list = if several {
            format!(" of {}", row.list)
        } else {
            String::new()
        };
        out.push_str(&format!("{}{list}: {}\n", row.slug, row.state.word()));
        let figures: Vec<String> = columns(rows)
            .into_iter()
            .map(|(head, figure)| (head.trim_start_matches('>'), figure(&row.totals)))
            .filter(|(head, n)| *n > 0 || matches!(*head, "sent" | "planned"))
            .map(|(head, n)| format!("{} {head}", count(n)))
            .collect();
        out.push_str(&wrap(&figures.join(", "), "  ", 2));
        out.push('\n');
        if let Some(reason) = because(row, &zone_of(lists, row)) {
            out.push_str(&wrap(&reason, "  ", 2));
            out.push('\n');
        }
    }
    out
}

/// A column of figures: its head, and what stands in it.
type Figures = (&'static str, fn(&Totals) -> u64);

/// The figures that every row shows, so that each adds up: the rarer states only where an issue has any of them.
fn columns(rows: &[IssueRow]) -> Vec<Figures> {
    let always: [Figures; 5] = [
        (">sent", |t| t.sent),
        (">deferred", |t| t.deferred),
        (">failed", |t| t.failed),
        (">uncertain", |t| t.uncertain),
        (">waiting", |t| t.queued + t.sending),
    ];
    let sometimes: [Figures; 2] = [(">cancelled", |t| t.cancelled), (">skipped", |t| t.skipped)];
    let occurs = |(_, figure): &Figures| rows.iter().any(|row| figure(&row.totals) > 0);
    let planned: Figures = (">planned", Totals::planned);
    always
        .into_iter()
        .chain(sometimes.into_iter().filter(occurs))
        .chain([planned])
        .collect()
}

/// For scripts, with a line of names first.
pub(super) fn as_csv(rows: &[IssueRow]) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut put = |fields: Vec<String>| {
        out.write_record(fields.iter().map(|cell| harmless(cell).into_owned()))
            .unwrap_or_default()
    };
    put(["issue", "list", "number", "state", "reason", "planned"]
        .into_iter()
        .chain(State::ALL.into_iter().map(State::word))
        .map(str::to_owned)
        .collect());
    for row in rows {
        let number = row.number.map(|n| n.to_string()).unwrap_or_default();
        let mut fields = vec![
            row.slug.clone(),
            row.list.clone(),
            number,
            row.state.word().to_owned(),
            row.reason
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            row.totals.planned().to_string(),
        ];
        let mut totals = row.totals;
        fields.extend(State::ALL.map(|state| totals.of_mut(state).to_string()));
        put(fields);
    }
    String::from_utf8(out.into_inner().unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{IssueId, ListId};

    fn row(slug: &str, state: IssueState, totals: Totals) -> IssueRow {
        IssueRow {
            id: IssueId(1),
            list_id: ListId(1),
            list: "weekly".into(),
            slug: slug.into(),
            number: None,
            title: "A letter".into(),
            file: format!("issues/{slug}.md").into(),
            state,
            reason: None,
            queued_at: Timestamp::UNIX_EPOCH,
            due_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
            fanout_after: None,
            totals,
            rescans: 0,
            pruned_at: None,
        }
    }

    #[test]
    fn a_state_that_occurs_has_a_column_so_that_every_row_adds_up() {
        let done = row(
            "003",
            IssueState::Done,
            Totals {
                sent: 300,
                ..Totals::default()
            },
        );
        let usual = as_table(std::slice::from_ref(&done), &[], 80);
        assert!(
            !usual.contains("cancelled") && !usual.contains("skipped"),
            "{usual}"
        );

        let totals = Totals {
            sent: 50,
            sending: 1,
            queued: 2,
            cancelled: 240,
            skipped: 7,
            ..Totals::default()
        };
        let table = as_table(&[done, row("004", IssueState::Cancelled, totals)], &[], 200);
        for line in table.lines().skip(1) {
            let figures: Vec<u64> = line
                .split_whitespace()
                .skip(2)
                .map(|n| n.parse().unwrap())
                .collect();
            let (planned, parts) = figures.split_last().unwrap();
            assert_eq!(
                (figures.len(), parts.iter().sum::<u64>()),
                (8, *planned),
                "{table}"
            );
        }
    }

    #[test]
    fn what_has_no_room_for_a_table_is_told_in_lines() {
        let totals = Totals {
            sent: 8_000,
            failed: 412,
            skipped: 7,
            ..Totals::default()
        };
        let paused = IssueRow {
            reason: Some(Reason::NoDaemon),
            ..row(
                "a-slug-that-is-as-long-as-a-title",
                IssueState::Paused,
                totals,
            )
        };
        let text = as_table(&[paused], &[], 80);
        assert_eq!(
            text,
            "a-slug-that-is-as-long-as-a-title: paused\n\
             \x20 8,000 sent, 412 failed, 7 skipped, 8,419 planned\n\
             \x20 no daemon runs; it continues when `letterpress serve` does\n"
        );
    }
}
