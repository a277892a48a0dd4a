//! Standard output and standard error, without the panics of `println!` and `eprintln!`.
//!
//! Results go to stdout: a write that fails there is an error, which the caller returns. Messages and the log go to
//! stderr: a write that fails there is ignored, since a full disk or a reader that has left must not change what a
//! command does or its exit status. All of the program writes through this module; `clippy.toml` forbids the macros
//! that panic, and `tests/architecture.rs` the streams themselves.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};

/// Standard output. A write can fail: `ENOSPC` on a full disk, `EPIPE` where the reader has left.
pub(crate) fn stdout() -> io::Stdout {
    io::stdout()
}

/// Standard error, as a writer that never fails.
pub(crate) fn stderr() -> Stderr {
    Stderr
}

/// Writes a message to standard error.
pub(crate) fn eprint(message: impl Display) {
    // In one write, so that the messages of several threads do not mix.
    let _ = io::stderr().write_all(message.to_string().as_bytes());
}

/// Writes a line to standard error.
pub(crate) fn eprintln(line: impl Display) {
    eprint(format_args!("{line}\n"));
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

/// Standard error, as a writer that never fails: what can't be written is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
