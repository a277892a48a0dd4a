//! `help`, `man` and `completions`: they need no settings, and say what the program says of itself.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_letterpress"))
        .args(args)
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn out(args: &[&str]) -> String {
    let done = run(args);
    assert_eq!(done.status.code(), Some(0), "{args:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn help_of_a_command_is_what_its_option_prints() {
    for command in [
        &[][..],
        &["send"],
        &["subscribers"],
        &["subscribers", "import"],
    ] {
        let by_command = out(&[&["help"][..], command].concat());
        let by_option = out(&[command, &["--help"]].concat());
        assert_eq!(by_command, by_option, "{command:?}");
    }
    let done = run(&["help", "subscribers", "imprt"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(
        said.contains("no command subscribers imprt") && said.contains("Did you mean import?"),
        "{said}"
    );
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("deep/man1");
    let dir_text = dir.to_str().unwrap();
    let said = out(&["man", dir_text, "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let pages = std::fs::read_dir(&dir).unwrap().count();
    assert!(pages > 30 && said["pages"] == pages, "{said}");
    let page = std::fs::read_to_string(dir.join("letterpress-subscribers-import.1")).unwrap();
    assert!(
        page.contains("Import a CSV file") && page.contains(".SH OPTIONS"),
        "{page}"
    );
    std::fs::write(folder.path().join("file"), "").unwrap();
    let done = run(&["man", folder.path().join("file").to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn shells_get_scripts_that_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&["completions", shell]);
        assert!(
            script.contains("rehearse") && script.contains("subscribers"),
            "{shell}"
        );
    }
    let syntax = Command::new("bash")
        .args(["-n", "/dev/stdin"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut bash| {
            use std::io::Write as _;
            let script = out(&["completions", "bash"]);
            bash.stdin.take().unwrap().write_all(script.as_bytes())?;
            bash.wait()
        });
    assert!(syntax.unwrap().success());
    assert_eq!(run(&["completions", "dosshell"]).status.code(), Some(2));
}
