//! From values to plain structs. Everything that is wrong is gathered, not only the first.

use std::path::Path;
use std::time::Duration;

use crate::delivery;
use crate::model::Finding;
use crate::pace::{Pacing, PauseAbove};

use super::parse;
use super::settings::{Log, Settings};
use super::taker::Taker;
use super::values::Values;

/// Builds the settings of a file in `folder`; findings are added to `findings`.
///
/// A value that is wrong or missing leaves an empty one in its place, so that the rest can be checked;
/// settings with an error among their findings are never handed out.
pub(super) fn build(values: &Values, folder: &Path, findings: &mut Vec<Finding>) -> Settings {
    let mut taker = Taker {
        values,
        folder,
        findings,
    };
    let timeouts = taker.timeouts();
    let settings = Settings {
        file: None,
        folder: folder.to_owned(),
        listen: taker
            .parsed(&["web", "listen"], parse::listen)
            .unwrap_or_default(),
        public_url: taker.parsed(&["web", "public_url"], parse::public_url),
        trusted_proxies: taker.each(&["web", "trusted_proxies"], parse::network),
        cors_origins: taker.each(&["web", "cors_origins"], parse::origin),
        database: taker.path(&["store", "path"]).unwrap_or_default(),
        log: Log {
            level: taker
                .parsed(&["log", "level"], |t| {
                    parse::choice(t, &["error", "warn", "info", "debug", "trace"])
                })
                .unwrap_or("info"),
            format: taker
                .parsed(&["log", "format"], |t| {
                    parse::choice(t, &["auto", "text", "json", "journald"])
                })
                .unwrap_or("auto"),
        },
        sending: delivery::Settings {
            relays: values
                .names("relay")
                .iter()
                .map(|name| taker.relay(name, &timeouts))
                .collect(),
            batch_size: taker.number(&["sending", "batch_size"], 1, 1_000_000) as usize,
            pause_between_batches: taker
                .duration(&["sending", "pause_between_batches"], Duration::ZERO),
            first_retry: taker.duration(&["sending", "first_retry"], Duration::from_secs(1)),
            longest_retry: taker.duration(&["sending", "longest_retry"], Duration::from_secs(1)),
            give_up_after: taker.duration(&["sending", "give_up_after"], Duration::from_secs(1)),
            hold_when_late: taker.duration(&["sending", "hold_when_late"], Duration::ZERO),
            pacing: Pacing {
                domains: taker.domains(),
                windows: taker.windows(),
                pause_above: PauseAbove {
                    failed: taker.decimal(&["sending", "pause_above_failed"], 0.0, 1.0),
                    deferred: taker.decimal(&["sending", "pause_above_deferred"], 0.0, 1.0),
                },
            },
            dkim: folder.join("dkim"),
        },
        lists: values
            .names("list")
            .iter()
            .map(|key| taker.list(key))
            .collect(),
    };
    if settings.sending.longest_retry < settings.sending.first_retry {
        taker.wrong(
            &["sending", "longest_retry"],
            "sending.longest_retry is shorter than first_retry".into(),
            "Waits grow from first_retry to longest_retry.",
        );
    }
    if settings.sending.give_up_after < settings.sending.first_retry {
        taker.wrong(
            &["sending", "give_up_after"],
            "sending.give_up_after is shorter than first_retry".into(),
            "No mail would be tried a second time.",
        );
    }
    settings
}
