//! Standard output and standard error, without the panics of `println!` and `eprintln!`, and without what files and
//! servers of others would do to a terminal.
//!
//! Results go to stdout: a write that fails there is an error, which the caller returns. Messages and the log go to
//! stderr: a write that fails there is ignored, since a full disk or a reader that has left must not change what a
//! command does or its exit status. All of the program writes through this module; `clippy.toml` forbids the macros
//! that panic, and `tests/architecture.rs` the streams themselves.
//!
//! A title, a name or a server's reply may hold control characters, which move the cursor, hide text or set the
//! window's title, and bidirectional controls, which show text in another order than it has. All of them are written as
//! `\u001b`, which is also what JSON means by them. Styles of our own are marked by [`styled`].

mod harmless;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};

pub(crate) use harmless::{one_line, styled, with_styles};

use harmless::{Harmless, harmless};

/// Standard output for people and for JSON. A write can fail: `ENOSPC` on a full disk, `EPIPE` where the reader has
/// left.
pub(crate) fn stdout() -> Harmless<io::Stdout> {
    Harmless::new(io::stdout(), stdout_has_colour(), true)
}

/// Standard output for data that programs read, such as CSV: unchanged, unless it goes to a terminal.
pub(crate) fn stdout_of_data() -> Harmless<io::Stdout> {
    Harmless::new(io::stdout(), false, stdout_is_terminal())
}

/// Standard output as a file descriptor, to be asked for its size.
pub(crate) fn stdout_descriptor() -> io::Stdout {
    io::stdout()
}

/// Standard error for the log, as a writer that never fails. Each write is one event, so that a line break within it
/// comes from a value and is escaped.
pub(crate) fn log() -> Log {
    Log
}

/// Writes a message to standard error.
pub(crate) fn eprint(message: impl Display) {
    // In one write, so that the messages of several threads do not mix.
    let message = message.to_string();
    let _ = io::stderr().write_all(harmless(&message, stderr_has_colour()).as_bytes());
}

/// Writes a line to standard error.
pub(crate) fn eprintln(line: impl Display) {
    eprint(format_args!("{line}\n"));
}

/// Puts a text in the place of the line that the cursor of a terminal on standard error stands on.
pub(crate) fn redraw(text: impl Display) {
    let text = text.to_string();
    let text = harmless(&text, stderr_has_colour());
    let _ = io::stderr().write_all(format!("\r\x1b[K{text}").as_bytes());
}

/// Whether standard output is a terminal.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether standard output takes colour: a terminal, unless `NO_COLOR` or `TERM=dumb` say otherwise.
pub(crate) fn stdout_has_colour() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether standard error takes colour: a terminal, unless `NO_COLOR` or `TERM=dumb` say otherwise.
pub(crate) fn stderr_has_colour() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// The log's writer: what can't be written is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = harmless::event(&String::from_utf8_lossy(event), stderr_has_colour());
        let _ = io::stderr().write_all(text.as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
