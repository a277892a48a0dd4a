//! A newsletter in a folder of its own, and the program that works on it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_letterpress");
/// Generous: other tests run beside this one on a small machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// An issue with a link and a personal field.
pub(crate) const ISSUE: &str = "+++\ntitle = \"A first proof\"\nnumber = 1\n+++\n\nGood morning, {{ name | default(\"reader\") }}. \
                         This week: [a paper](https://example.org/paper?id=7) and nothing else.\n";

/// A folder with settings and an issue; the daemon is killed with it, if it still runs.
pub(crate) struct Newsletter {
    folder: TempDir,
    pub web: u16,
    daemon: Option<Child>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The JSON objects on stdout.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

/// A port that nothing listens on at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Runs the program in a folder, away from any terminal and from the caller's own settings.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Ended {
    run_with(folder, args, &[])
}

/// Runs the program in a folder with more in its environment.
pub(crate) fn run_with(folder: &Path, args: &[&str], environment: &[(&str, String)]) -> Ended {
    let mut command = command(folder, args);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command)
}

/// Runs a command to its end, and kills it where that takes too long.
pub(crate) fn finish(mut command: Command) -> Ended {
    let child = command.spawn().unwrap();
    let pid = child.id();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    match ended.recv_timeout(PATIENCE) {
        Ok(output) => Ended::of(&output.unwrap()),
        Err(_) => {
            let _ = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .status();
            let output = ended.recv().unwrap().unwrap();
            panic!(
                "{command:?} did not end; it said: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    command_of(PROGRAM, folder, args)
}

fn command_of(program: &str, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(args)
        .stdin(Stdio::null())
        .env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LETTERPRESS") {
            command.env_remove(name);
        }
    }
    command
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(
            Instant::now() < end,
            "waited {} s for {what}",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Newsletter {
    /// A newsletter whose relay is described by `relay`, the lines below `[relay.main]`.
    pub(crate) fn new(relay: &str) -> Newsletter {
        let folder = tempfile::tempdir().unwrap();
        let web = free_port();
        let settings = format!(
            "[web]\nlisten = \"127.0.0.1:{web}\"\npublic_url = \"http://127.0.0.1:{web}\"\n\n[relay.main]\n{relay}\n\n\
             [sending]\nfirst_retry = \"1s\"\nlongest_retry = \"2s\"\n\n\
             [list.weekly]\nname = \"The Weekly Proof\"\nfrom = \"Editor <editor@letters.example>\"\n"
        );
        std::fs::write(folder.path().join("letterpress.toml"), settings).unwrap();
        std::fs::create_dir(folder.path().join("issues")).unwrap();
        std::fs::write(folder.path().join("issues/001.md"), ISSUE).unwrap();
        Newsletter {
            folder,
            web,
            daemon: None,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Changes the settings' text.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let file = self.folder.path().join("letterpress.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "the settings hold no {from}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        run(self.folder.path(), args)
    }

    /// Runs a command with more in its environment.
    pub(crate) fn run_with(&self, args: &[&str], environment: &[(&str, String)]) -> Ended {
        run_with(self.folder.path(), args, environment)
    }

    /// Runs a command that must end well.
    pub(crate) fn ok(&self, args: &[&str]) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
        ended
    }

    /// Imports so many readers and gives their addresses.
    pub(crate) fn people(&self, count: usize) -> Vec<String> {
        let emails: Vec<String> = (0..count)
            .map(|n| format!("reader{n}@readers.example"))
            .collect();
        let csv: String = emails
            .iter()
            .map(|email| format!("{email},Reader\n"))
            .collect();
        let report = self.import(&format!(
            "email,name
{csv}"
        ));
        assert_eq!(report.json().last().unwrap()["added"], count);
        emails
    }

    /// Imports a CSV file with this content; some of its rows may be rejected.
    pub(crate) fn import(&self, csv: &str) -> Ended {
        std::fs::write(self.folder.path().join("people.csv"), csv).unwrap();
        self.run(&[
            "subscribers",
            "import",
            "people.csv",
            "--list",
            "weekly",
            "--yes",
            "--json",
        ])
    }

    /// Starts the daemon and waits until it answers.
    pub(crate) fn serve(&mut self) {
        self.start(&[]);
        self.until_it_answers();
    }

    /// Makes a process this newsletter's daemon.
    pub(crate) fn adopt(&mut self, daemon: Child) {
        self.daemon = Some(daemon);
    }

    /// Waits until the daemon answers.
    pub(crate) fn until_it_answers(&mut self) {
        let web = self.web;
        until("the daemon to answer", || {
            let ended = self.ended();
            assert!(
                ended.is_none(),
                "the daemon ended ({ended:?}): {}",
                self.log()
            );
            crate::web::get(web, "/healthz").is_some_and(|answer| answer.status == 200)
        });
    }

    /// Starts the daemon with more in its environment, and does not wait for it.
    pub(crate) fn start(&mut self, environment: &[(&str, String)]) {
        self.daemon = Some(self.spawn(environment));
    }

    /// Starts the daemon by a launcher that becomes the program named by its first argument.
    pub(crate) fn start_under(&mut self, launcher: &str, environment: &[(&str, String)]) {
        let log = self.open_log();
        let mut command = command_of(launcher, self.folder.path(), &[PROGRAM, "serve"]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let daemon = command.stdout(log.try_clone().unwrap()).stderr(log).spawn();
        self.daemon = Some(daemon.unwrap());
    }

    /// A daemon that is not this letter's own.
    pub(crate) fn spawn(&self, environment: &[(&str, String)]) -> Child {
        let log = self.open_log();
        let mut command = command(self.folder.path(), &["serve"]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// A command in the folder, to be given its streams.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        command(self.folder.path(), args)
    }

    /// Another program in the folder, to be given its streams.
    pub(crate) fn command_of(&self, program: &str, args: &[&str]) -> Command {
        command_of(program, self.folder.path(), args)
    }

    /// Begins a command and does not wait for it; what it says goes to the log.
    pub(crate) fn begin(&self, args: &[&str]) -> Child {
        self.begin_by(PROGRAM, args)
    }

    /// The same by another program, such as a shell that runs ours under a limit.
    pub(crate) fn begin_by(&self, program: &str, args: &[&str]) -> Child {
        let mut command = command_of(program, self.folder.path(), args);
        let log = self.open_log();
        command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// How the daemon ended; `None` while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.daemon
            .as_mut()
            .and_then(|daemon| daemon.try_wait().unwrap())
    }

    fn open_log(&self) -> std::fs::File {
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    /// What the daemon has said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// The daemon's process.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.as_ref().unwrap().id()
    }

    /// SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// SIGHUP.
    pub(crate) fn reload(&self) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(status.unwrap().success());
    }

    /// SIGTERM; gives the exit status.
    pub(crate) fn stop(&mut self) -> i32 {
        self.ask_to_stop();
        self.daemon
            .take()
            .unwrap()
            .wait()
            .unwrap()
            .code()
            .unwrap_or(-1)
    }

    /// The totals of issue 1.
    pub(crate) fn totals(&self) -> Value {
        let rows = self.ok(&["deliveries", "--json"]).json();
        let row = rows
            .into_iter()
            .find(|row| row["number"] == 1)
            .expect("issue 1 was queued");
        let parts = [
            "queued",
            "sending",
            "deferred",
            "sent",
            "failed",
            "uncertain",
            "cancelled",
            "skipped",
        ];
        let sum: u64 = parts.iter().map(|part| row[part].as_u64().unwrap()).sum();
        assert_eq!(
            row["planned"], sum,
            "planned is the sum of the states: {row}"
        );
        row
    }

    /// Every recipient of issue 1.
    pub(crate) fn deliveries(&self) -> Vec<Value> {
        self.ok(&["deliveries", "1", "--json"]).json()
    }
}

impl Drop for Newsletter {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}
