//! What differs between a terminal and a pipe: colour on two words, dim side facts, and asking.

use std::io::IsTerminal as _;

use crate::stdio;

use super::layout::wrap;

/// Colours for one stream, or none: a pipe, `NO_COLOR` and `TERM=dumb` get the same words bare.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn stdout() -> Self {
        Self {
            on: stdio::stdout_has_colour(),
        }
    }

    pub(super) fn stderr() -> Self {
        Self {
            on: stdio::stderr_has_colour(),
        }
    }

    /// Never any colour.
    #[cfg(test)]
    pub(super) fn bare() -> Self {
        Self { on: false }
    }

    /// Whether escape codes are written at all.
    pub(super) fn is_on(self) -> bool {
        self.on
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on {
            stdio::styled(code, text)
        } else {
            text.to_owned()
        }
    }

    /// The word `error`: red and bold.
    pub(super) fn error(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// The word `warning`: yellow and bold.
    pub(super) fn warning(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    /// A side fact that stands by itself.
    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// An address to open.
    pub(super) fn address(self, text: &str) -> String {
        self.wrap("4", text)
    }

    /// A side fact behind something: dim, or set off by a comma where there is no colour.
    pub(super) fn aside(self, text: &str) -> String {
        if self.on {
            format!(" {}", self.dim(text))
        } else {
            format!(", {text}")
        }
    }
}

/// How many columns the terminal on stdout has; `None` for a pipe, and where the system does not say.
pub(super) fn columns() -> Option<usize> {
    #[cfg(target_os = "linux")]
    if stdio::stdout_is_terminal() {
        let size = rustix::termios::tcgetwinsize(stdio::stdout_descriptor()).ok()?;
        return Some(usize::from(size.ws_col)).filter(|columns| *columns > 0);
    }
    None
}

/// Whether somebody sits there who can be asked.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && stdio::stderr_is_terminal()
}

/// Asks on stderr; only `y` or `yes` is a yes.
///
/// # Errors
/// Stdin can't be read.
pub(super) fn ask(question: &str) -> std::io::Result<bool> {
    let question = wrap(&format!("{question} [y/N]"), "", 0);
    stdio::eprint(format_args!("{question} "));
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(matches!(typed.trim().to_lowercase().as_str(), "y" | "yes"))
}
