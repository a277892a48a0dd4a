//! The settings: the only reader of `letterpress.toml` and of the environment.
//!
//! It hands out plain structs and explains what is wrong, all at once, with file, line and the nearest name.
//! What the values mean is left to the rooms they are for. Known to `cli`, `operate` and `app` alone.

mod advice;
mod build;
mod changes;
mod domains;
mod environment;
mod headers;
pub(crate) mod keys;
mod lists;
mod load;
mod parse;
mod relays;
mod settings;
mod show;
mod taker;
mod values;
mod zones;

pub(crate) use advice::is_loopback;
pub(crate) use changes::changes;
pub(crate) use environment::user;
/// A duration as people write it, such as `400d` or `1h 30m`.
///
/// # Errors
/// A sentence that says how it is to be written.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    parse::duration(text).map_err(|bad| bad.what)
}

pub(crate) use load::ConfigError;
pub(crate) use load::{Examined, FILE, Need, SAMPLE, examine, load, load_to_connect};
#[cfg(test)]
pub(crate) use load::{defaults, of_text};
pub(crate) use settings::{Log, Settings};
pub(crate) use show::{Shown, show};
pub(crate) use values::quoted;

#[cfg(test)]
mod tests;
