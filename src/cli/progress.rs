//! Long work on stderr: a bar with count, rate and time left on a terminal, elsewhere a line each ten seconds.

use std::time::{Duration, Instant};

use crate::format::count;
use crate::stdio;

use super::terminal::Paint;

/// Columns of the bar itself; with its figures it stays within eighty.
const BAR: usize = 38;
/// How often a line may be written where there is no bar.
pub(super) const BETWEEN_LINES: Duration = Duration::from_secs(10);
const BETWEEN_BARS: Duration = Duration::from_millis(100);

/// How far some work has come.
pub(super) struct Progress {
    paint: Paint,
    started: Instant,
    shown: Instant,
    /// Whether a bar stands on the last line and must be taken away.
    drawn: bool,
}

impl Progress {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self {
            paint: Paint::stderr(),
            started: now,
            shown: now,
            drawn: false,
        }
    }

    /// How long it has taken until now.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows `done` of `total`, if it is time to.
    pub(super) fn show(&mut self, done: u64, total: u64) {
        let (every, bar) = if self.paint.is_on() {
            (BETWEEN_BARS, true)
        } else {
            (BETWEEN_LINES, false)
        };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let text = figures(done, total, self.elapsed());
        if bar {
            self.drawn = true;
            let filled = filled(done, total);
            let (ink, rest) = ("━".repeat(filled), "━".repeat(BAR - filled));
            let rest = self.paint.dim(&rest);
            stdio::redraw(format_args!("  {ink}{rest}  {text}"));
        } else {
            stdio::eprintln(text.replace("  ", ", "));
        }
    }

    /// A line of words, above the bar where there is one.
    pub(super) fn say(&mut self, line: &str) {
        self.end();
        stdio::eprintln(line);
    }

    /// Takes the bar away, so that results can follow.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.drawn) {
            stdio::redraw("");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many columns of the bar are inked.
fn filled(done: u64, total: u64) -> usize {
    (BAR as u64 * done.min(total))
        .checked_div(total)
        .unwrap_or(0) as usize
}

/// Such as `71 %  5,980 of 8,412  41/s  58 s left`.
fn figures(done: u64, total: u64, elapsed: Duration) -> String {
    let percent = (100 * done.min(total)).checked_div(total).unwrap_or(0);
    let mut text = format!("{percent} %  {} of {}", count(done), count(total));
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    if done > 0 {
        text.push_str(&format!("  {}/s", plain_rate(rate)));
        if done < total {
            let left = ((total - done) as f64 / rate).ceil() as u64;
            text.push_str(&format!("  {} left", time(left)));
        }
    }
    text
}

/// A rate without digits that say nothing: `0.4`, `41`, `2,841`.
pub(super) fn plain_rate(rate: f64) -> String {
    if rate < 9.95 {
        format!("{rate:.1}")
    } else {
        count(rate.round() as u64)
    }
}

/// Seconds as people say them: `58 s`, `12 min`, `3 h 20 min`.
pub(super) fn time(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_the_design_has_them() {
        let text = figures(5980, 8412, Duration::from_secs(146));
        assert_eq!(text, "71 %  5,980 of 8,412  41/s  60 s left");
        assert!(2 + BAR + 2 + text.chars().count() <= 80);
        assert_eq!(figures(0, 0, Duration::ZERO), "0 %  0 of 0");
        assert_eq!(
            figures(8412, 8412, Duration::from_secs(1)),
            "100 %  8,412 of 8,412  8,412/s"
        );
    }

    #[test]
    fn the_bar_is_full_only_at_the_end() {
        assert_eq!(
            (filled(0, 10), filled(5, 10), filled(10, 10), filled(11, 10)),
            (0, 19, 38, 38)
        );
        assert!(filled(999_999, 1_000_000) < BAR && filled(3, 0) == 0);
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(
            (time(58), time(601), time(12_000)),
            ("58 s".into(), "11 min".into(), "3 h 20 min".into())
        );
    }
}
