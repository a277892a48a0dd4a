//! The commands about people, backups and keys, as scripts use them: exit status, what stands on which stream,
//! and that a refusal changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const SETTINGS: &str = "
[relay.main]
host = \"127.0.0.1\"
port = 1
tls = \"none\"

[list.weekly]
name = \"The Weekly Proof\"
from = \"Editor <editor@letters.example>\"
";

const PEOPLE: &str = "email,name\nann@readers.example,Ann\nno-at-sign,Bob\n\"Mei@Readers.example\",\"Mei\nLi\"\n,Empty\n";

/// How a command ended.
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Done {
    /// One JSON object a line, and nothing else.
    fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// It could not do it: one paragraph that names these words, and nothing on stdout.
    fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.err);
        assert_eq!(self.out, "");
        assert!(
            !self.err.contains("\n\n"),
            "more than a paragraph: {}",
            self.err
        );
        for word in words {
            assert!(self.err.contains(word), "{word} is not said: {}", self.err);
        }
    }
}

/// A folder with settings.
struct Letter(TempDir);

impl Letter {
    fn new(more: &str) -> Letter {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join("letterpress.toml"),
            format!("{SETTINGS}{more}"),
        )
        .unwrap();
        fs::write(dir.path().join("people.csv"), PEOPLE).unwrap();
        Letter(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_letterpress"));
        for (name, _) in std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("LETTERPRESS"))
        {
            command.env_remove(name);
        }
        let done = command
            .args(args)
            .current_dir(self.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let done = Done {
            code: done.status.code().unwrap(),
            out: text(done.stdout),
            err: text(done.stderr),
        };
        assert!(
            !format!("{}{}", done.out, done.err).contains('\x1b'),
            "colours where there is no terminal"
        );
        done
    }

    /// The state of each address.
    fn states(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let people = self.run(&["subscribers", "list", "--json"]).lines();
        people
            .iter()
            .map(|person| (text(&person["email"]), text(&person["state"])))
            .collect()
    }
}

#[test]
fn an_import_that_cannot_tell_who_left_is_refused_whole() {
    let letter = Letter::new("");
    let import = |text: &str| {
        fs::write(letter.path().join("from-elsewhere.csv"), text).unwrap();
        letter.run(&["subscribers", "import", "from-elsewhere.csv", "--yes"])
    };
    import("email,Consent level\na@readers.example,full\n").refused(
        2,
        &[
            "from-elsewhere.csv:1",
            "“Consent level”",
            "delete the column",
            "Nothing was imported.",
        ],
    );
    import("email,Status\na@readers.example,active\nb@readers.example,odd\n").refused(
        2,
        &[
            "from-elsewhere.csv:3",
            "“Status”",
            "“odd”",
            "Nothing was imported.",
        ],
    );
    assert_eq!(letter.states(), []);

    let done =
        import("Email Address,Status\na@readers.example,active\nb@readers.example,bounced\n");
    assert_eq!((done.code, done.out.as_str()), (0, "2 rows: 2 added\n"));
    assert!(done.err.contains("are read: Status"), "{}", done.err);
    let state = |email: &str, state: &str| (format!("{email}@readers.example"), state.to_owned());
    assert_eq!(
        letter.states(),
        [state("a", "active"), state("b", "bounced")]
    );
}

#[test]
fn a_file_is_looked_at_before_the_question_is_asked() {
    let letter = Letter::new("");
    let import = |text: &[u8], args: &[&str]| {
        fs::write(letter.path().join("crm.csv"), text).unwrap();
        letter.run(&[&["subscribers", "import", "crm.csv"][..], args].concat())
    };
    let german = b"E-Mail;Vorname;Nachname;Telefon\nann@readers.example;Ann;Gro\xdf;1\nbo@readers.example;Bo;;2\n";
    import(german, &[]).refused(
        2,
        &[
            "rows of crm.csv (email from “E-Mail”, first_name from “Vorname”",
            "--yes",
            "ignored: Telefon",
            "windows-1252",
        ],
    );
    import(b"Who,Since\nann@readers.example,2024\n", &[])
        .refused(2, &["crm.csv:1", "--map email=COLUMN"]);
    let quote = b"email,name\nann@readers.example,\"Ann\nbo@readers.example,Bo\n";
    import(quote, &["--yes"]).refused(2, &["crm.csv:2", "never closed", "Nothing was imported."]);
    assert_eq!(letter.states(), []);

    let done = import(german, &["--yes"]);
    assert_eq!((done.code, done.out.as_str()), (0, "2 rows: 2 added\n"));
    assert!(
        letter
            .run(&["subscribers", "export"])
            .out
            .contains("Ann Groß")
    );
}

#[test]
fn an_author_says_what_a_file_does_not_tell() {
    let letter = Letter::new("");
    let file = letter.path().join("crm.csv");
    fs::write(&file, b"Who^Called\nann@readers.example^\xc8\xe2\xe0\xed\n").unwrap();
    let import = |args: &[&str]| {
        letter.run(&[&["subscribers", "import", "crm.csv", "--yes"][..], args].concat())
    };
    import(&["--separator", "^", "--map", "email=Who"])
        .refused(2, &["crm.csv:2", "--encoding windows-1252"]);
    for (args, why) in [
        (["--encoding", "klingon"], "not a known encoding"),
        (["--separator", "^^"], "one character"),
        (["--map", "phone=Who"], "the fields are email, name"),
    ] {
        let done = import(&args);
        assert_eq!(done.code, 2);
        assert!(done.err.contains(why), "{}", done.err);
    }
    let done = import(&[
        "--separator",
        "^",
        "--encoding",
        "windows-1251",
        "--map",
        "email=Who",
        "--map",
        "name=Called",
    ]);
    assert_eq!((done.code, done.out.as_str()), (0, "1 row: 1 added\n"));
    assert!(letter.run(&["subscribers", "export"]).out.contains("Иван"));
}

#[test]
fn a_date_that_cannot_be_read_costs_nobody_and_is_told_once_or_thrice() {
    let letter = Letter::new("");
    let rows: String = (0..1000)
        .map(|i| format!("r{i}@readers.example,soon\n"))
        .collect();
    fs::write(
        letter.path().join("crm.csv"),
        format!("email,joined_at\n{rows}"),
    )
    .unwrap();
    let done = letter.run(&["subscribers", "import", "crm.csv", "--yes", "--json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        done.lines(),
        [
            serde_json::json!({ "rows": 1000, "added": 1000, "updated": 0, "unchanged": 0, "rejected": 0 })
        ]
    );
    let lines: Vec<&str> = done.err.lines().collect();
    assert_eq!(lines.len(), 4, "{}", done.err);
    assert!(
        lines[0].starts_with("crm.csv:2: warning: “soon” is not a date"),
        "{}",
        lines[0]
    );
    assert!(
        lines[3].starts_with("crm.csv: warning: 997 more rows imported without their date"),
        "{}",
        lines[3]
    );
}

#[test]
fn an_import_names_what_it_does_not_take() {
    let letter = Letter::new("");
    let done = letter.run(&["subscribers", "import", "people.csv", "--yes", "--json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(
        done.lines().last().unwrap(),
        &serde_json::json!({ "rows": 4, "added": 2, "updated": 0, "unchanged": 0, "rejected": 2 })
    );
    let named: Vec<&str> = done
        .err
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(named, ["people.csv:3", "people.csv:6"], "{}", done.err);
    assert_eq!(
        letter
            .run(&["subscribers", "import", "people.csv", "--yes"])
            .out,
        "4 rows: 2 unchanged, 2 rejected\n"
    );

    let people = letter.run(&["subscribers", "list", "--json"]).lines();
    let mei = people
        .iter()
        .find(|person| person["email"] == "Mei@readers.example")
        .unwrap();
    assert_eq!(
        (&mei["name"], &mei["state"], &mei["lists"]),
        (&"Mei Li".into(), &"active".into(), &["weekly"][..].into())
    );
    assert_eq!(
        mei["subscriptions"],
        serde_json::json!([{ "list": "weekly", "state": "active" }])
    );
    assert!(mei["joined_at"].as_str().unwrap().ends_with('Z'));
    let mode = fs::metadata(letter.path().join("letterpress.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_not_agreed_to_or_not_there_changes_nothing() {
    let letter = Letter::new("");
    letter
        .run(&["subscribers", "import", "people.csv"])
        .refused(2, &["--yes"]);
    letter
        .run(&["subscribers", "import", "none.csv", "--yes"])
        .refused(2, &["none.csv"]);
    letter
        .run(&[
            "subscribers",
            "import",
            "people.csv",
            "--list",
            "wekly",
            "--yes",
        ])
        .refused(2, &["wekly", "weekly"]);
    letter
        .run(&["subscribers", "remove", "ann@readers.example", "--yes"])
        .refused(1, &["ann@readers.example"]);
    letter
        .run(&["subscribers", "show", "ann@readers.example"])
        .refused(1, &["ann@readers.example"]);
    letter
        .run(&["subscribers", "export", "--json"])
        .refused(2, &["CSV"]);
    assert_eq!(letter.run(&["subscribers", "add", "ann@localhost"]).code, 2);
    assert!(letter.states().is_empty());
}

#[test]
fn people_are_added_shown_and_removed_by_hand() {
    let letter = Letter::new("");
    let ann = "ann@readers.example";
    assert_eq!(
        letter
            .run(&["subscribers", "add", "ANN@readers.example", "--name", "Ann"])
            .code,
        0
    );
    letter
        .run(&["subscribers", "remove", ann])
        .refused(2, &["--yes"]);
    let removed = letter.run(&["subscribers", "remove", ann, "--yes", "--json"]);
    assert_eq!(
        (removed.code, removed.lines()[0]["left"].clone()),
        (0, serde_json::json!(["weekly"]))
    );
    assert_eq!(letter.run(&["subscribers", "remove", ann, "--yes"]).code, 0);
    letter
        .run(&["subscribers", "add", ann])
        .refused(1, &["unsubscribed since"]);
    assert_eq!(
        letter.states(),
        [("ANN@readers.example".to_owned(), "unsubscribed".to_owned())]
    );
    let shown = letter.run(&["subscribers", "show", ann, "--json"]).lines();
    let events: Vec<&Value> = shown[0]["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["event"])
        .collect();
    assert_eq!(events, ["added", "left"]);
    assert!(
        letter
            .run(&["subscribers", "show", ann])
            .out
            .contains("left by command")
    );
}

#[test]
fn what_goes_out_comes_in_elsewhere() {
    let letter = Letter::new("");
    letter.run(&["subscribers", "import", "people.csv", "--yes"]);
    letter.run(&["subscribers", "remove", "ann@readers.example", "--yes"]);
    let out = letter.run(&["subscribers", "export"]).out;
    let other = Letter::new("");
    for place in [&letter, &other] {
        fs::write(place.path().join("out.csv"), &out).unwrap();
        assert_eq!(
            place
                .run(&[
                    "subscribers",
                    "import",
                    "out.csv",
                    "--list",
                    "weekly",
                    "--yes"
                ])
                .code,
            0
        );
        assert_eq!(place.run(&["subscribers", "export"]).out, out);
    }
}

#[test]
fn with_several_lists_a_file_or_the_author_says_which() {
    let letter = Letter::new("[list.daily]\nname = \"Daily\"\nfrom = \"editor@letters.example\"\n");
    letter
        .run(&["subscribers", "import", "people.csv", "--yes"])
        .refused(2, &["--list", "weekly", "daily"]);
    letter.run(&[
        "subscribers",
        "import",
        "people.csv",
        "--yes",
        "--list",
        "daily",
    ]);
    assert_eq!(
        letter.run(&["subscribers", "list", "--list", "weekly"]).out,
        "No subscribers yet.\n"
    );
    assert_eq!(
        letter
            .run(&["subscribers", "list", "--list", "daily", "--json"])
            .lines()
            .len(),
        2
    );
    assert_eq!(
        letter
            .run(&[
                "subscribers",
                "list",
                "--list",
                "daily",
                "--state",
                "pending",
                "--json"
            ])
            .out,
        ""
    );
}

#[test]
fn a_backup_is_whole_and_keys_are_rotated() {
    let letter = Letter::new("");
    letter.run(&["subscribers", "add", "ann@readers.example"]);
    let done = letter.run(&["backup", "copy.db"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.contains("dkim") && done.out.contains("issues"),
        "{}",
        done.out
    );
    letter.run(&["backup", "copy.db"]).refused(2, &["copy.db"]);

    let first = letter.run(&["keys", "rotate", "--json"]).lines()[0]["key"].clone();
    let second = letter.run(&["keys", "rotate", "--json"]).lines()[0]["key"].clone();
    assert!(first.as_i64() < second.as_i64());

    letter.run(&["subscribers", "remove", "ann@readers.example", "--yes"]);
    let settings = fs::read_to_string(letter.path().join("letterpress.toml")).unwrap();
    let of_copy = format!("[store]\npath = \"copy.db\"\n{settings}");
    fs::write(letter.path().join("letterpress.toml"), of_copy).unwrap();
    assert_eq!(
        letter.states(),
        [("ann@readers.example".to_owned(), "active".to_owned())]
    );
}

#[test]
fn without_settings_or_with_another_file_in_its_place_nothing_runs() {
    let empty = Letter(tempfile::tempdir().unwrap());
    empty
        .run(&["subscribers", "list"])
        .refused(2, &["letterpress.toml"]);
    let letter = Letter::new("");
    fs::write(
        letter.path().join("letterpress.db"),
        "This is no database, but a text. ".repeat(100),
    )
    .unwrap();
    for args in [
        &["subscribers", "list"][..],
        &["keys", "rotate"],
        &["backup", "copy.db"],
    ] {
        letter
            .run(args)
            .refused(2, &["letterpress.db", "no SQLite database"]);
    }
    assert!(!letter.path().join("copy.db").exists());
}
