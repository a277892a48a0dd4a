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
            "[web]\npublic_url = \"https://l.example.org\"\n[relay.main]\nhost = \"smtp.example.org\"\n\
             [list.a]\nname = \"A\"\nfrom = \"a@example.org\"\nbounce_address = \"{local}@example.org\"\n"
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
        "such as bounce@example.org",
    ] {
        assert!(words.contains(wanted), "{wanted} is not in {words}");
    }
    let taken = check("what-comes-back-to-us");
    assert_eq!(taken.code, 0, "{}", taken.out);
}

/// Makes keys that sign the lists' mails: unsigned ones are warned of.
fn signed(folder: &std::path::Path) {
    let made = run(folder, &["dkim", "new", "--domain", "example.org"]);
    assert_eq!(made.code, 0, "{}", made.err);
}

#[test]
fn mails_that_nothing_signs_are_warned_of_until_keys_are_made_and_after_they_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[web]\npublic_url = \"https://l.example.org\"\n[relay.main]\nhost = \"smtp.example.org\"\n\
                    [list.a]\nname = \"A\"\nfrom = \"a@news.example.org\"\n[list.b]\nname = \"B\"\nfrom = \"b@news.example.org\"\n";
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
    let remove = ["dkim", "remove", "--domain", "Example.org"];
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
    let settings = "[web]\npublic_url = \"https://l.example.org\"\n[relay.main]\nhost = \"smtp.example.org\"\n\
                    username = \"u\"\npassword = \"p\"\n[list.a]\nname = \"A\"\nfrom = \"a@example.org\"\n";
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
        format!("[list.{key}]\nname = \"A\"\nfrom = \"a@example.org\"\n{more}\n")
    };
    let settings =
        "[web]\npublic_url = \"https://l.example.org\"\n[relay.main]\nhost = \"smtp.example.org\"\n"
            .to_owned()
            + &list("a", "") + &list("b", "issues = \"nowhere\"");
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
        format!("[list.{key}]\nname = \"A\"\nfrom = \"a@example.org\"\n  theme = \"{theme}\"\n")
    };
    let settings =
        ["[web]\npublic_url = \"https://l.example.org\"\n[relay.main]\nhost = \"smtp.example.org\"\n"]
            .map(str::to_owned)
            .into_iter()
            .chain([list("a", "magazin"), list("b", "quiet"), list("c", "mine"), list("d", "minne")]);
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
