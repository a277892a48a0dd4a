//! Long work on stderr: a bar with count, rate and time left on a terminal, elsewhere a line each ten seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr as _;

use crate::format::count;
use crate::stdio;

use super::layout::{COLUMNS, wrap};
use super::terminal::{self, Paint};

/// The most and the fewest columns of the bar itself.
const BAR: (usize, usize) = (38, 8);
/// How often a line may be written where there is no bar.
pub(super) const BETWEEN_LINES: Duration = Duration::from_secs(10);
const BETWEEN_BARS: Duration = Duration::from_millis(100);
/// The time over which the rate is measured: the first mails go quicker than the rest wherever a limit holds.
const WINDOW: Duration = Duration::from_secs(30);
/// How often the count is noted for that.
const BETWEEN_SAMPLES: Duration = Duration::from_millis(500);
/// A shorter measurement says only how long it takes at least.
const CERTAIN_AFTER: Duration = Duration::from_secs(10);

/// How far some work has come.
pub(super) struct Progress {
    paint: Paint,
    started: Instant,
    shown: Instant,
    pace: Pace,
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
            pace: Pace::default(),
            drawn: false,
        }
    }

    /// How long it has taken until now.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows `done` of `total`, if it is time to.
    pub(super) fn show(&mut self, done: u64, total: u64) {
        self.pace.note(done, self.elapsed());
        let (every, bar) = if self.paint.is_on() {
            (BETWEEN_BARS, true)
        } else {
            (BETWEEN_LINES, false)
        };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let text = figures(done, total, self.pace.rate());
        if bar {
            self.drawn = true;
            let columns = terminal::columns().unwrap_or(COLUMNS);
            stdio::redraw(drawn(done, total, &text, columns, self.paint));
        } else {
            stdio::eprintln(text.replace("  ", ", "));
        }
    }

    /// A line about a line of a file, above the bar where there is one. It is never broken, since scripts read it.
    pub(super) fn say_whole(&mut self, line: &str) {
        self.end();
        stdio::eprintln(line);
    }

    /// A line of words, above the bar where there is one.
    pub(super) fn say(&mut self, line: &str) {
        self.end();
        stdio::eprintln(wrap(line, "", 0));
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

/// The latest counts, from which the rate follows.
#[derive(Debug, Default)]
struct Pace {
    /// When, since the beginning, and how much was done by then.
    samples: VecDeque<(Duration, u64)>,
}

/// How quickly work goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    per_s: f64,
    /// It was measured for long enough to foretell the end.
    is_certain: bool,
}

impl Pace {
    fn note(&mut self, done: u64, now: Duration) {
        // What was done before the first look took unknown time.
        let is_due = |(last, _): &(Duration, u64)| now.saturating_sub(*last) >= BETWEEN_SAMPLES;
        if self.samples.back().is_none_or(is_due) {
            self.samples.push_back((now, done));
        }
        // The oldest that stays is just beyond the window.
        while let Some((second, _)) = self.samples.get(1)
            && now.saturating_sub(*second) > WINDOW
        {
            self.samples.pop_front();
        }
    }

    /// `None`: nothing was done lately.
    fn rate(&self) -> Option<Rate> {
        let ((since, before), (until, done)) = (self.samples.front()?, self.samples.back()?);
        let took = until.saturating_sub(*since);
        let per_s = done.saturating_sub(*before) as f64 / took.as_secs_f64();
        (per_s.is_finite() && per_s > 0.0).then_some(Rate {
            per_s,
            is_certain: took >= CERTAIN_AFTER,
        })
    }
}

/// The bar with its figures, within a number of columns; where there is no room for a bar, the figures alone.
fn drawn(done: u64, total: u64, text: &str, columns: usize, paint: Paint) -> String {
    let room = columns.saturating_sub(text.width() + 4);
    if room < BAR.1 {
        return format!("  {text}").chars().take(columns).collect();
    }
    let bar = room.min(BAR.0);
    let filled = filled(done, total, bar);
    let (ink, rest) = ("━".repeat(filled), "━".repeat(bar - filled));
    format!("  {ink}{}  {text}", paint.dim(&rest))
}

/// How many of the bar's columns are inked.
fn filled(done: u64, total: u64, bar: usize) -> usize {
    (bar as u64 * done.min(total))
        .checked_div(total)
        .unwrap_or(0) as usize
}

/// Such as `71 %  5,980 of 8,412  41/s  60 s left`.
fn figures(done: u64, total: u64, rate: Option<Rate>) -> String {
    let percent = (100 * done.min(total)).checked_div(total).unwrap_or(0);
    let mut text = format!("{percent} %  {} of {}", count(done), count(total));
    let Some(rate) = rate else { return text };
    text.push_str(&format!("  {}/s", plain_rate(rate.per_s)));
    if done < total {
        let left = Duration::try_from_secs_f64(((total - done) as f64 / rate.per_s).ceil());
        let how = if rate.is_certain { "" } else { "at least " };
        text.push_str(&format!(
            "  {how}{} left",
            time(left.unwrap_or(Duration::MAX))
        ));
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

/// How long something takes, as people say it: `350 ms`, `58 s`, `12 min`, `3 h 20 min`, `12 days`.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    match seconds {
        _ if duration < Duration::from_secs(1) => elapsed(duration),
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", count(seconds.div_ceil(86_400))),
    }
}

/// How long something took, exactly: `197 ms`, `12.3 s`, `4,512.0 s`.
pub(super) fn elapsed(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        // Less than a millisecond is no time that anybody could have measured here.
        format!("{} ms", took.as_millis().max(1))
    } else {
        let tenths = (took.as_secs_f64() * 10.0).round() as u64;
        format!("{}.{} s", count(tenths / 10), tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_s: f64, is_certain: bool) -> Option<Rate> {
        Some(Rate { per_s, is_certain })
    }

    #[test]
    fn figures_are_as_the_design_has_them() {
        let text = figures(5980, 8412, rate(41.0, true));
        assert_eq!(text, "71 %  5,980 of 8,412  41/s  60 s left");
        let short = figures(5980, 8412, rate(41.0, false));
        assert_eq!(short, "71 %  5,980 of 8,412  41/s  at least 60 s left");
        assert_eq!(figures(0, 0, None), "0 %  0 of 0");
        assert_eq!(
            figures(8412, 8412, rate(8412.0, true)),
            "100 %  8,412 of 8,412  8,412/s"
        );
        let far = figures(1, u64::MAX, rate(1e-300, true));
        assert!(far.ends_with("days left"), "{far}");
    }

    #[test]
    fn a_bar_fits_its_terminal() {
        let long = figures(1_234_567, 2_345_678, rate(12_345.0, false));
        for columns in [20, 40, 60, 80, 132] {
            for text in ["71 %  5,980 of 8,412  41/s  60 s left", &long] {
                let line = drawn(5980, 8412, text, columns, Paint::bare());
                assert!(line.width() <= columns, "{columns}: {line}");
            }
        }
        let usual = drawn(
            5980,
            8412,
            "71 %  5,980 of 8,412  41/s  60 s left",
            80,
            Paint::bare(),
        );
        assert!(usual.contains(&"━".repeat(38)), "{usual}");
    }

    #[test]
    fn the_rate_is_that_of_late() {
        let at = Duration::from_secs;
        let mut pace = Pace::default();
        assert_eq!(pace.rate(), None);
        // A burst of five hundred, then one a second.
        pace.note(0, at(0));
        pace.note(500, at(1));
        assert_eq!(pace.rate(), rate(500.0, false));
        for second in 2..100 {
            pace.note(500 + second, at(second));
        }
        let late = pace.rate().unwrap();
        assert!(
            late.is_certain && (0.99..1.01).contains(&late.per_s),
            "{late:?}"
        );
        for second in 100..200 {
            pace.note(599, at(second));
        }
        assert_eq!(pace.rate(), None, "it stands still");
        assert!(pace.samples.len() < 100);
    }

    #[test]
    fn the_bar_is_full_only_at_the_end() {
        let filled = |done, total| filled(done, total, 38);
        assert_eq!(
            (filled(0, 10), filled(5, 10), filled(10, 10), filled(11, 10)),
            (0, 19, 38, 38)
        );
        assert!(filled(999_999, 1_000_000) < 38 && filled(3, 0) == 0);
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let of = |seconds| time(Duration::from_secs(seconds));
        assert_eq!(
            (of(58), of(601), of(12_000), of(900_000)),
            (
                "58 s".into(),
                "11 min".into(),
                "3 h 20 min".into(),
                "11 days".into()
            )
        );
        assert_eq!(time(Duration::from_millis(350)), "350 ms");
        assert_eq!(elapsed(Duration::from_micros(3)), "1 ms");
        assert_eq!(elapsed(Duration::from_millis(1049)), "1.0 s");
        assert_eq!(elapsed(Duration::from_millis(4_512_340)), "4,512.3 s");
    }
}
