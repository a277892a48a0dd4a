//! Builds `shim.c`, and says in its words what is to go wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The shim, built for this test process.
pub struct Shim {
    library: PathBuf,
}

/// One thing that goes wrong; steps are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the steps are counted.
    None,
    /// SIGKILL.
    Kill { step: usize, after: bool },
    /// SIGKILL, and what was written since the last sync is lost.
    Power { step: usize, after: bool },
    /// SIGTERM.
    Term { step: usize },
    /// So many writes to the database fail with ENOSPC, from this step on.
    Full { step: usize, count: usize },
    /// So many syncs of the database fail with EIO, from this step on.
    Io { step: usize, count: usize },
}

impl Fault {
    fn plan(self) -> Option<String> {
        let side = |after| if after { "after" } else { "before" };
        Some(match self {
            Fault::None => return None,
            Fault::Kill { step, after } => format!("kill-{} {step}", side(after)),
            Fault::Power { step, after } => format!("power-{} {step}", side(after)),
            Fault::Term { step } => format!("term-before {step}"),
            Fault::Full { step, count } => format!("full {step} {count}"),
            Fault::Io { step, count } => format!("io {step} {count}"),
        })
    }
}

impl Shim {
    /// Builds it in a folder by the machine's C compiler, which Rust's linking needs as well.
    pub fn build(folder: &Path) -> Shim {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let library = folder.join("shim.so");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        assert!(built.expect("a C compiler named cc").success(), "shim.c can't be built");
        Shim { library }
    }

    /// What the daemon's environment must hold for a fault.
    pub fn environment(&self, folder: &Path, port: u16, fault: Fault) -> Vec<(&'static str, String)> {
        let text = |path: PathBuf| path.to_str().expect("a folder whose name is text").to_owned();
        let mut all = vec![
            ("LD_PRELOAD", text(self.library.clone())),
            ("FAULT_DATABASE", text(folder.join("letterpress.db"))),
            ("FAULT_PORT", port.to_string()),
            ("FAULT_TRACE", text(folder.join("steps"))),
            ("FAULT_CLOCK", text(folder.join("clock"))),
        ];
        all.extend(fault.plan().map(|plan| ("FAULT_PLAN", plan)));
        all
    }
}

/// The steps that were made, by name, such as `write relay MAIL`; the first is step 1.
pub fn steps(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("steps")).unwrap_or_default();
    text.lines().map(|line| line.split_once(' ').map_or("", |(_, name)| name).trim().to_owned()).collect()
}
