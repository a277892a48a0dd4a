//! Reads `deploy/letterpress.service`, and builds a launcher that starts a program under what it says.
//!
//! The launcher applies what needs no privilege: the filter of system calls, address families, memory that is
//! writable and executable, namespaces, capabilities, open files, the file mode mask, and a user that is not root.
//! Mounts, `/proc` and devices are left to systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of the unit that concern systemd itself, or that need privileges to be applied.
const NOT_APPLIED: &[&str] = &[
    "AmbientCapabilities",
    "ExecReload",
    "ExecStart",
    "Group",
    "LockPersonality",
    "PrivateDevices",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadWritePaths",
    "RemoveIPC",
    "Restart",
    "RestartSec",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "StateDirectory",
    "StateDirectoryMode",
    "TimeoutStopSec",
    "Type",
    "User",
    "WorkingDirectory",
];

/// Lines of the unit that the launcher applies.
const APPLIED: &[&str] = &[
    "CapabilityBoundingSet",
    "LimitNOFILE",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "SystemCallArchitectures",
    "SystemCallErrorNumber",
    "SystemCallFilter",
    "UMask",
];

/// The text of the unit file.
pub(crate) fn text() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/letterpress.service");
    std::fs::read_to_string(file).unwrap()
}

/// The `[Service]` section of a unit: each key with its values, in their order.
pub(crate) struct Service {
    values: BTreeMap<String, Vec<String>>,
}

impl Service {
    /// Reads a unit. Every key must be known here, so that none is added which the tests leave out unnoticed.
    pub(crate) fn read(unit: &str) -> Service {
        let (_, section) = unit.split_once("[Service]\n").expect("a section [Service]");
        let section = section.split("\n[").next().unwrap();
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in section.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let (key, value) = line.split_once('=').expect("KEY=VALUE");
            assert!(
                APPLIED.contains(&key) || NOT_APPLIED.contains(&key),
                "{key}= is new in the unit: have the launcher apply it, or name it in NOT_APPLIED"
            );
            values.entry(key.into()).or_default().push(value.into());
        }
        Service { values }
    }

    /// The last value of a key.
    pub(crate) fn last(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.last().map(String::as_str)
    }

    fn is_yes(&self, key: &str) -> bool {
        self.last(key) == Some("yes")
    }

    /// The system calls that `SystemCallFilter=` leaves, as systemd.exec(5) has it: the first line makes it a list of
    /// what is allowed, to which `@default` belongs, and later lines add to it or, with `~`, take away.
    fn allowed_calls(&self) -> BTreeSet<&'static str> {
        let groups = groups();
        let mut allowed = expand(&groups, "@default");
        let lines = &self.values["SystemCallFilter"];
        assert!(!lines[0].starts_with('~'), "a list of what is refused");
        for line in lines {
            let (taken_away, names) = match line.strip_prefix('~') {
                Some(names) => (true, names),
                None => (false, line.as_str()),
            };
            for name in names.split_whitespace() {
                let calls = expand(&groups, name);
                if taken_away {
                    allowed.retain(|call| !calls.contains(call));
                } else {
                    allowed.extend(calls);
                }
            }
        }
        allowed
    }

    /// What a call that is not allowed leads to.
    fn refusal(&self) -> String {
        match self.last("SystemCallErrorNumber") {
            None => "SECCOMP_RET_KILL_PROCESS".into(),
            Some(error) => format!("(SECCOMP_RET_ERRNO | {error})"),
        }
    }

    /// What `launcher.c` includes as `unit.h`.
    fn header(&self) -> String {
        let families = self.last("RestrictAddressFamilies").unwrap();
        let families: Vec<&str> = families.split_whitespace().collect();
        assert_eq!(self.last("SystemCallArchitectures"), Some("native"));
        let flags = [
            ("NO_NEW_PRIVILEGES", self.is_yes("NoNewPrivileges")),
            (
                "NO_CAPABILITIES",
                self.last("CapabilityBoundingSet") == Some(""),
            ),
            ("DENY_WRITE_EXECUTE", self.is_yes("MemoryDenyWriteExecute")),
            ("DENY_NAMESPACES", self.is_yes("RestrictNamespaces")),
        ];
        let flags = flags.map(|(name, on)| format!("#define {name} {}\n", u8::from(on)));
        // Names of other machines' calls stand in the groups as well.
        let calls: String = self
            .allowed_calls()
            .iter()
            .map(|call| format!("#ifdef SYS_{call}\n    SYS_{call},\n#endif\n"))
            .collect();
        format!(
            "#define REFUSAL {}\n#define FAMILIES {}\n#define OPEN_FILES {}\n#define FILE_MASK {}\n{}\
             static const unsigned allowed[] = {{\n{calls}}};\n",
            self.refusal(),
            families.join(", "),
            self.last("LimitNOFILE").unwrap_or("1024"),
            self.last("UMask").unwrap(),
            flags.concat()
        )
    }

    /// Builds the launcher in a folder by the machine's C compiler, which Rust's linking needs as well.
    pub(crate) fn launcher(&self, folder: &Path) -> PathBuf {
        std::fs::write(folder.join("unit.h"), self.header()).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/launcher.c");
        let program = folder.join("launcher");
        let built = Command::new("cc")
            .args(["-O1", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(folder)
            .arg("-o")
            .arg(&program)
            .arg(source)
            .status();
        assert!(
            built.expect("a C compiler named cc").success(),
            "launcher.c can't be built"
        );
        program
    }
}

type Groups = BTreeMap<&'static str, Vec<&'static str>>;

/// What systemd's groups hold.
fn groups() -> Groups {
    include_str!("syscall_groups.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, members) = line.split_once(": ").unwrap();
            (name, members.split(' ').collect())
        })
        .collect()
}

/// The calls that a name stands for: a group holds calls and groups.
fn expand(groups: &Groups, name: &str) -> BTreeSet<&'static str> {
    if !name.starts_with('@') {
        let known = groups.values().flatten().find(|call| **call == name);
        return BTreeSet::from([*known.unwrap_or_else(|| panic!("{name} is no system call"))]);
    }
    let members = groups
        .get(name)
        .unwrap_or_else(|| panic!("{name} is no group of system calls"));
    members
        .iter()
        .flat_map(|member| expand(groups, member))
        .collect()
}

#[test]
fn a_filter_is_read_as_systemd_reads_it() {
    let calls =
        |lines: &str| Service::read(&format!("[Service]\n{lines}\n[Install]\n")).allowed_calls();
    let all = calls("SystemCallFilter=@system-service");
    assert!(all.contains("setpriority") && all.contains("read") && all.contains("chown"));
    assert!(!all.contains("mount") && !all.contains("ptrace"));
    let less = calls("SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources");
    assert!(!less.contains("setpriority") && !less.contains("chown") && less.contains("execve"));
    let again = calls(
        "SystemCallFilter=@system-service\nSystemCallFilter=~@resources\nSystemCallFilter=setpriority",
    );
    assert!(again.contains("setpriority") && !again.contains("setrlimit"));
}
