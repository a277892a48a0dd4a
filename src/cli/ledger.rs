//! The sum of an issue as people read it: figures under each other, and the accountant's double rule above
//! their total.

use std::fmt::Write as _;
use std::time::Duration;

use crate::format::count;
use crate::model::delivery::Totals;

use super::progress::{elapsed, plain_rate};
use super::terminal::Paint;

/// The column at which values begin, as in the lines above a sum.
pub(super) const VALUES: usize = 13;

/// The states of an issue, their rule and their total, each line set in by two.
///
/// Sent, deferred, failed and uncertain always show; the others where they are not zero, so that the reader
/// can add up.
pub(super) fn sum(totals: &Totals, took: Option<Duration>, paint: Paint) -> String {
    let always = [
        ("sent", totals.sent),
        ("deferred", totals.deferred),
        ("failed", totals.failed),
        ("uncertain", totals.uncertain),
    ];
    let sometimes = [
        ("waiting", totals.queued + totals.sending),
        ("cancelled", totals.cancelled),
        ("skipped", totals.skipped),
    ];
    let planned = count(totals.planned());
    let width = planned.len().max(2) + 1;
    let line = |word: &str, figure: &str| format!("  {word:<12}{figure:>width$}", width = width);
    let mut out = String::new();
    for (word, n) in always
        .into_iter()
        .chain(sometimes.into_iter().filter(|(_, n)| *n > 0))
    {
        let _ = writeln!(out, "{}", line(word, &count(n)));
    }
    let _ = writeln!(out, "  {:<12}{}", "", "═".repeat(width));
    out.push_str(&line("planned", &planned));
    if let Some(took) = took {
        let rate = plain_rate(totals.sent as f64 / took.as_secs_f64().max(0.001));
        let took = elapsed(took);
        let _ = write!(out, "   {}", paint.dim(&format!("{took}, {rate} a second")));
    }
    out.push('\n');
    out
}

/// A fact above a sum, such as `subscribers  12 imported, 0 rejected`.
pub(super) fn fact(word: &str, value: &str) -> String {
    format!("  {word:<width$}{value}", width = VALUES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_drawn_as_the_design_has_it() {
        let totals = Totals {
            sent: 12,
            ..Totals::default()
        };
        assert_eq!(
            sum(&totals, Some(Duration::from_millis(197)), Paint::bare()),
            "  sent         12\n  deferred      0\n  failed        0\n  uncertain     0\n              ═══\n  planned      12   197 ms, 61 a second\n"
        );
        assert_eq!(
            fact("database", "demo/letterpress.db"),
            "  database     demo/letterpress.db"
        );
    }

    #[test]
    fn every_state_that_is_not_zero_shows_so_that_the_sum_is_right() {
        let totals = Totals {
            queued: 1000,
            sending: 4,
            deferred: 3,
            sent: 7000,
            failed: 2,
            uncertain: 1,
            cancelled: 5,
            skipped: 6,
        };
        let text = sum(&totals, None, Paint::bare());
        let figures: Vec<u64> = text
            .lines()
            .filter_map(|line| line.split_whitespace().nth(1))
            .map(|figure| figure.replace(',', "").parse().unwrap())
            .collect();
        let (total, parts) = figures.split_last().unwrap();
        assert_eq!(parts.iter().sum::<u64>(), *total);
        assert_eq!(parts.len(), 7);
    }
}
