//! Builds `shim.c`, and says in its words what is to go wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The shim, built for this test process.
pub(crate) struct Shim {
    library: PathBuf,
}

/// A step, by its name and how many of that name came before it: another run may make a commit more or less, but it
/// has the second MAIL as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Such as `sync log` or `write relay MAIL`.
    pub name: String,
    /// From 1.
    pub nth: usize,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” no. {}", self.name, self.nth)
    }
}

/// What goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL.
    Kill { after: bool },
    /// SIGKILL, and what was written since the last sync is lost.
    Power { after: bool },
    /// SIGTERM.
    Term,
    /// So many writes to the database fail with ENOSPC, from this step on.
    Full { count: usize },
    /// So many syncs of the database fail with EIO, from this step on.
    Io { count: usize },
}

impl Fault {
    /// Whether the program ends at once.
    pub(crate) fn kills(self) -> bool {
        matches!(self, Fault::Kill { .. } | Fault::Power { .. })
    }

    fn plan(self, step: &Step) -> String {
        let side = |after| if after { "after" } else { "before" };
        let (what, count) = match self {
            Fault::Kill { after } => (format!("kill-{}", side(after)), 0),
            Fault::Power { after } => (format!("power-{}", side(after)), 0),
            Fault::Term => ("term-before".into(), 0),
            Fault::Full { count } => ("full".into(), count),
            Fault::Io { count } => ("io".into(), count),
        };
        format!("{what} {count} {} {}", step.nth, step.name)
    }
}

impl Shim {
    /// Builds it in a folder by the machine's C compiler, which Rust's linking needs as well.
    pub(crate) fn build(folder: &Path) -> Shim {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let library = folder.join("shim.so");
        let built = Command::new("cc")
            .args([
                "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o",
            ])
            .arg(&library)
            .arg(source)
            .status();
        assert!(
            built.expect("a C compiler named cc").success(),
            "shim.c can't be built"
        );
        Shim { library }
    }

    /// What the daemon's environment must hold for a fault at a step; without one, the steps are written down.
    pub(crate) fn environment(
        &self,
        folder: &Path,
        port: u16,
        fault: Option<(Fault, &Step)>,
    ) -> Vec<(&'static str, String)> {
        let text = |path: PathBuf| {
            path.to_str()
                .expect("a folder whose name is text")
                .to_owned()
        };
        let mut all = vec![
            ("LD_PRELOAD", text(self.library.clone())),
            ("FAULT_DATABASE", text(folder.join("letterpress.db"))),
            ("FAULT_PORT", port.to_string()),
            ("FAULT_TRACE", text(folder.join("steps"))),
            ("FAULT_MADE", text(folder.join("made"))),
            ("FAULT_CLOCK", text(folder.join("clock"))),
        ];
        all.extend(fault.map(|(fault, step)| ("FAULT_PLAN", fault.plan(step))));
        all
    }
}

/// The names of the steps that were made.
pub(crate) fn steps(folder: &Path) -> Vec<String> {
    lines(&folder.join("steps"))
}

/// The names of the steps at which a fault was made.
pub(crate) fn made(folder: &Path) -> Vec<String> {
    lines(&folder.join("made"))
}

fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}
