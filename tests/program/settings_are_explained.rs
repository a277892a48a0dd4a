//! `init`, `config check` and `config show`, as a newcomer meets them.

use crate::newsletter::run;

#[test]
fn a_new_folder_passes_its_check_and_tells_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init", "mine"]).code, 0);
    let mine = folder.path().join("mine");
    let checked = run(&mine.join("issues"), &["config", "check"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(checked.out.contains("public_url"), "{}", checked.out);
    let issue = run(&mine, &["check", "issues/001.md"]);
    assert_eq!(issue.code, 0, "{}", issue.out);

    // It can't send yet, and says why.
    let sent = run(&mine, &["send", "issues/001.md", "--yes"]);
    assert_eq!(sent.code, 2);
    assert!(sent.err.contains("public_url"), "{}", sent.err);
    assert_eq!(
        run(&mine, &["init"]).code,
        2,
        "an existing newsletter is left alone"
    );
}

#[test]
fn a_file_that_is_no_utf_8_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("letterpress.toml"),
        b"[list.a]\nname = \"Gr\xfc\xdfe\"\n",
    )
    .unwrap();
    let checked = run(folder.path(), &["config", "check"]);
    assert_eq!(checked.code, 2, "{}", checked.out);
    for wanted in ["not UTF-8", "letterpress.toml", "Save the file as UTF-8"] {
        assert!(
            checked.err.contains(wanted),
            "{wanted} is not in {}",
            checked.err
        );
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letterpress.toml");
    std::fs::write(
        &file,
        "[web]\nlisten = 80\n[sending]\nbatch_sise = 5\nfirst_retry = \"soon\"\n",
    )
    .unwrap();
    let checked = run(folder.path(), &["config", "check"]);
    assert_eq!(checked.code, 1);
    for wanted in [
        "letterpress.toml:2",
        "letterpress.toml:4",
        "batch_size",
        "letterpress.toml:5",
        "3 errors",
    ] {
        assert!(
            checked.out.contains(wanted),
            "{wanted} is not in\n{}",
            checked.out
        );
    }
    let other = run(folder.path(), &["deliveries"]);
    assert_eq!(other.code, 2);
    assert!(
        other.err.contains("letterpress.toml:2") && other.err.contains("config check"),
        "{}",
        other.err
    );
    assert!(
        !folder.path().join("letterpress.db").exists(),
        "nothing is made on wrong settings"
    );
}

#[test]
fn a_bounce_address_without_room_for_a_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |local: &str| {
        let settings = format!(
            "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n\
             [list.a]\nname = \"A\"\nfrom = \"a@proof.test\"\nbounce_address = \"{local}@proof.test\"\n"
        );
        std::fs::write(folder.path().join("letterpress.toml"), settings).unwrap();
        run(folder.path(), &["config", "check"])
    };
    let refused = check("what-comes-back-to-us-all");
    assert_eq!(refused.code, 1, "{}", refused.out);
    let words = refused.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "letterpress.toml:8",
        "At most 23 bytes fit",
        "such as bounce@proof.test",
    ] {
        assert!(words.contains(wanted), "{wanted} is not in {words}");
    }
    let taken = check("what-comes-back-to-us");
    assert_eq!(taken.code, 0, "{}", taken.out);
}

/// Makes keys that sign the lists' mails: unsigned ones are warned of.
fn signed(folder: &std::path::Path) {
    let made = run(folder, &["dkim", "new", "--domain", "proof.test"]);
    assert_eq!(made.code, 0, "{}", made.err);
}

#[test]
fn mails_that_nothing_signs_are_warned_of_until_keys_are_made_and_after_they_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n\
                    [list.a]\nname = \"A\"\nfrom = \"a@news.proof.test\"\n[list.b]\nname = \"B\"\nfrom = \"b@news.proof.test\"\n";
    std::fs::write(folder.path().join("letterpress.toml"), settings).unwrap();
    let warned = || {
        let checked = run(folder.path(), &["config", "check"]);
        assert_eq!(checked.code, 0, "{}", checked.out);
        checked.out.matches("no DKIM key in use").count()
    };
    assert_eq!(warned(), 1, "once for the domain");
    assert!(
        !folder.path().join("letterpress.db").exists(),
        "looking makes no database"
    );
    // Keys of a domain above it sign as well.
    signed(folder.path());
    assert_eq!(warned(), 0);
    let remove = ["dkim", "remove", "--domain", "Proof.test"];
    assert_eq!(run(folder.path(), &remove).code, 2, "it asks");
    let removed = run(folder.path(), &[&remove[..], &["--yes", "--json"]].concat());
    assert_eq!(removed.code, 0, "{}", removed.err);
    let kept = removed.json()[0]["kept"].as_str().unwrap().to_owned();
    assert!(folder.path().join(kept).join("lp1r.pem").exists());
    assert_eq!(warned(), 1);
    assert_eq!(run(folder.path(), &["dkim", "show"]).code, 1);
    let again = run(folder.path(), &[&remove[..], &["--yes"]].concat());
    assert_eq!(again.code, 1, "{}", again.err);
}

#[test]
fn a_password_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letterpress.toml");
    let settings = "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n\
                    username = \"u\"\npassword = \"p\"\n[list.a]\nname = \"A\"\nfrom = \"a@proof.test\"\n";
    std::fs::write(&file, settings).unwrap();
    let check = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        run(folder.path(), &["config", "check", "--json"]).json()
    };
    signed(folder.path());
    let open = check(0o644);
    assert_eq!((open.len(), &open[0]["line"]), (1, &6.into()), "{open:?}");
    assert_eq!(open[0]["code"], "password-readable");
    assert!(check(0o600).is_empty());
}

#[test]
fn a_folder_that_is_named_and_missing_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let list = |key: &str, more: &str| {
        format!("[list.{key}]\nname = \"A\"\nfrom = \"a@proof.test\"\n{more}\n")
    };
    let settings =
        "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n"
            .to_owned()
            + &list("a", "")
            + &list("b", "issues = \"nowhere\"");
    std::fs::write(folder.path().join("letterpress.toml"), settings).unwrap();
    signed(folder.path());
    let checked = run(folder.path(), &["config", "check", "--json"]);
    let found = checked.json();
    assert_eq!((checked.code, found.len()), (0, 1), "{}", checked.out);
    assert_eq!(
        (&found[0]["severity"], &found[0]["line"]),
        (&"warning".into(), &12.into()),
        "{}",
        found[0]
    );
    std::fs::create_dir(folder.path().join("nowhere")).unwrap();
    assert!(
        run(folder.path(), &["config", "check"])
            .out
            .contains("no problems found")
    );
}

#[test]
fn a_theme_that_cannot_be_used_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let list = |key: &str, theme: &str| {
        format!("[list.{key}]\nname = \"A\"\nfrom = \"a@proof.test\"\n  theme = \"{theme}\"\n")
    };
    let settings = [
        "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        list("a", "magazin"),
        list("b", "quiet"),
        list("c", "mine"),
        list("d", "minne"),
    ]);
    std::fs::write(
        folder.path().join("letterpress.toml"),
        settings.collect::<String>(),
    )
    .unwrap();
    let mine = folder.path().join("themes/mine");
    std::fs::create_dir_all(&mine).unwrap();
    std::fs::write(mine.join("theme.toml"), "[colours\n").unwrap();
    std::fs::write(mine.join("layout.mjml"), "<mjml></mjml>\n").unwrap();

    signed(folder.path());
    let checked = run(folder.path(), &["config", "check", "--json"]);
    assert_eq!(checked.code, 1);
    let found: Vec<String> = checked
        .json()
        .iter()
        .map(|f| {
            format!(
                "{}:{}: {} {}",
                f["line"], f["column"], f["message"], f["help"]
            )
        })
        .collect();
    assert_eq!(found.len(), 3, "{found:#?}");
    for (finding, wanted) in found.iter().zip([
        ["8:3:", "list.a.theme", "magazin", "Did you mean magazine?"],
        [
            "16:3:",
            "list.c.theme",
            "mine/theme.toml:1",
            "Fix this line of the theme",
        ],
        ["20:3:", "list.d.theme", "minne", "Did you mean mine?"],
    ]) {
        assert!(
            wanted.iter().all(|word| finding.contains(word)),
            "{wanted:?} is not in {finding}"
        );
    }

    std::fs::remove_dir_all(&mine).unwrap();
    std::fs::write(&mine, "a file is no theme").unwrap();
    assert!(
        run(folder.path(), &["config", "check"])
            .out
            .contains("no theme “mine”")
    );
}

#[test]
fn a_new_folder_keeps_secrets_from_others_and_from_a_repository() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init"]).code, 0);
    for name in ["letterpress.toml", "letterpress.db"] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    std::fs::write(folder.path().join("smtp-password"), "x").unwrap();
    std::fs::create_dir(folder.path().join("dkim")).unwrap();
    std::fs::write(folder.path().join("dkim/lp1r.pem"), "x").unwrap();
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        let output = git.current_dir(folder.path()).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q"]);
    let untracked = git(&["ls-files", "--others", "--exclude-standard"]);
    let mut untracked: Vec<&str> = untracked.lines().collect();
    untracked.sort_unstable();
    assert_eq!(
        untracked,
        [".gitignore", "issues/001.md", "letterpress.toml"]
    );
}

#[test]
fn only_commands_that_connect_need_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n\
                    username = \"u\"\npassword_file = \"gone\"\nca_file = \"gone.pem\"\n\
                    [list.a]\nname = \"A\"\nfrom = \"a@proof.test\"\n";
    std::fs::write(folder.path().join("letterpress.toml"), settings).unwrap();
    std::fs::create_dir(folder.path().join("issues")).unwrap();
    std::fs::write(
        folder.path().join("issues/001.md"),
        crate::newsletter::ISSUE,
    )
    .unwrap();
    for args in [
        &["subscribers", "add", "mei@readers.test"][..],
        &["subscribers", "list"],
        &["deliveries"],
        &["check", "issues/001.md"],
        &["render", "issues/001.md", "--out", "out"],
        &["config", "show"],
        &["speed"],
        &["send", "issues/001.md", "--yes"],
        &["rehearse", "issues/001.md"],
    ] {
        let ended = run(folder.path(), args);
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
    }
    for args in [
        &["serve"][..],
        &["test", "issues/001.md", "--to", "a@b.test"],
    ] {
        let refused = run(folder.path(), args);
        assert_eq!(refused.code, 2, "{args:?}: {}", refused.err);
        assert!(refused.err.contains("gone"), "{args:?}: {}", refused.err);
    }
    signed(folder.path());
    let checked = run(folder.path(), &["config", "check", "--json"]);
    assert_eq!(
        (checked.code, checked.json().len()),
        (1, 2),
        "{}",
        checked.out
    );
}

#[test]
fn help_and_version_are_commands_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let same = |command: &[&str], option: &[&str]| {
        let (one, other) = (run(folder.path(), command), run(folder.path(), option));
        assert_eq!((one.code, other.code), (0, 0), "{}", one.err);
        assert_eq!(one.out.trim(), other.out.trim());
    };
    same(
        &["help", "subscribers", "add"],
        &["subscribers", "add", "--help"],
    );
    same(&["version"], &["--version"]);
    assert!(run(folder.path(), &["help"]).out.contains("subscribers"));
    let unknown = run(folder.path(), &["help", "sned"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("Did you mean send?"),
        "{}",
        unknown.err
    );
}

#[test]
fn a_schedule_of_days_and_weekdays_is_warned_of_and_shown_with_its_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[web]\npublic_url = \"https://l.proof.test\"\n[relay.main]\nhost = \"smtp.proof.test\"\n\
                    [list.a]\nname = \"A\"\nfrom = \"a@proof.test\"\nschedule = \"0 7 1-7 * MON\"\n";
    std::fs::write(folder.path().join("letterpress.toml"), settings).unwrap();
    signed(folder.path());
    let checked = run(folder.path(), &["config", "check", "--json"]);
    let found = checked.json();
    assert_eq!((checked.code, found.len()), (0, 1), "{}", checked.out);
    assert_eq!(
        (&found[0]["severity"], &found[0]["line"]),
        (&"warning".into(), &8.into())
    );
    let message = found[0]["message"].as_str().unwrap();
    assert_eq!(message.matches(" 07:00 UTC").count(), 5, "{message}");
    assert!(found[0]["help"].as_str().unwrap().contains("0 7 * * MON#1"));
    let shown = run(folder.path(), &["config", "show"]).out;
    assert!(
        shown.contains("; next: ") && shown.contains(" 07:00 UTC"),
        "{shown}"
    );
    let told = run(folder.path(), &["deliveries"]).out;
    assert!(told.contains("The schedule of a fires next on "), "{told}");
}
