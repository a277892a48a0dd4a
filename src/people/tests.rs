//! Files against a real database: what comes in, what does not, and that it goes out and comes in again.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::model::subscription::{Consent, ConsentMethod};
use crate::model::{ListId, Rendered};
use crate::store::Store;
use crate::store::testing::{address, column, hours, open_with_list, set_pragma, t};

/// A folder with a database that knows the lists `weekly` and `daily`.
pub(super) struct Newsletter {
    dir: TempDir,
    pub(super) store: Store,
    lists: Vec<(String, ListId)>,
}

/// A file and what is asked of it.
pub(super) struct Request {
    file: std::path::PathBuf,
    pub(super) options: Options,
    lists: Vec<(String, ListId)>,
    default: Option<String>,
    only_default: bool,
}

/// Opens a file and imports it.
pub(super) async fn import_file(
    store: &Store,
    request: Request,
    tell: impl FnMut(Event),
) -> Result<Report, ImportError> {
    let plan = Plan {
        file: open(request.file, request.options).await?,
        lists: request.lists,
        default: request.default,
        only_default: request.only_default,
        now: t(1000),
    };
    import(store, plan, tell).await
}

/// What an import gave: its numbers, and what was told of rows.
type Done = (Report, Vec<(u64, String)>);

impl Newsletter {
    pub(super) async fn new() -> Newsletter {
        let (dir, store, weekly) = open_with_list().await;
        let daily = store
            .ensure_lists(&["daily".to_owned()], t(0))
            .await
            .unwrap()["daily"];
        Newsletter {
            dir,
            store,
            lists: vec![("weekly".into(), weekly), ("daily".into(), daily)],
        }
    }

    fn plan(&self, text: &[u8]) -> Request {
        self.plan_as("people.csv", text)
    }

    pub(super) fn plan_as(&self, name: &str, text: &[u8]) -> Request {
        let file = self.dir.path().join(name);
        fs::write(&file, text).unwrap();
        let default = Some("weekly".to_owned());
        Request {
            file,
            options: Options::default(),
            lists: self.lists.clone(),
            default,
            only_default: false,
        }
    }

    pub(super) async fn import(&self, text: impl AsRef<[u8]>) -> Done {
        let mut rejected = Vec::new();
        let report = import_file(&self.store, self.plan(text.as_ref()), |event| {
            if let Event::Rejected { line, reason } = event {
                rejected.push((line, reason));
            }
        });
        let report = report.await.unwrap();
        assert_eq!(
            report.rows,
            report.added + report.updated + report.unchanged + report.rejected
        );
        assert_eq!(report.rejected, rejected.len() as u64);
        (report, rejected)
    }

    async fn export(&self) -> String {
        let mut out = Vec::new();
        export(&self.store, None, &mut out, |_| {}).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Everybody's states, such as `ann@readers.example weekly active`.
    pub(super) async fn states(&self) -> Vec<String> {
        let sql = "SELECT email || ' ' || key || ' ' || state FROM subscription
             JOIN subscriber ON subscriber.id = subscriber_id JOIN list ON list.id = list_id ORDER BY 1";
        let words = |row: String| {
            let (place, state) = row.rsplit_once(' ').unwrap();
            let state =
                crate::model::subscription::SubscriptionState::from_number(state.parse().unwrap())
                    .unwrap();
            format!("{place} {}", state.word())
        };
        column(&self.store, sql)
            .await
            .into_iter()
            .map(words)
            .collect()
    }

    pub(super) async fn names(&self) -> Vec<String> {
        column(&self.store, "SELECT name FROM subscriber ORDER BY email").await
    }
}

fn counts(report: Report) -> [u64; 4] {
    [
        report.added,
        report.updated,
        report.unchanged,
        report.rejected,
    ]
}

#[tokio::test]
async fn bad_rows_are_named_and_the_rest_comes_in_once() {
    let newsletter = Newsletter::new().await;
    let file = "email,name\na@readers.example,Ann\nno-at-sign,Bob\nb@Readers.example,\"Q, Quote\"\n\
        c@readers.example,\"Line\nbreak\"\na@READERS.example,Ann\n用户@例子.广告,Unicode\n,Empty\n\
        用户@xn--fsqu00a.xn--4rr70v,Unicode\ntwo@@readers.example,Two\nd@readers.example,Dee\n";
    let (report, rejected) = newsletter.import(file).await;
    assert_eq!((report.rows, counts(report)), (10, [5, 0, 2, 3]));
    assert_eq!(
        rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
        [3, 9, 11]
    );
    assert_eq!(rejected[1].1, "there is no address");
    assert_eq!(
        newsletter.names().await,
        ["Ann", "Q, Quote", "Line break", "Dee", "Unicode"]
    );
    let places = newsletter.states().await;
    assert!(
        places.len() == 5 && places.iter().all(|place| place.ends_with(" weekly active")),
        "{places:?}"
    );
    assert_eq!(
        counts(newsletter.import(file).await.0),
        [0, 0, 7, 3],
        "a second run changes nothing"
    );
    let consent = column(&newsletter.store, "SELECT event || how || at FROM consent").await;
    assert_eq!(
        consent,
        vec![format!("importedimport{}", t(1000).as_millisecond()); 5]
    );
}

#[tokio::test]
async fn of_two_rows_the_later_name_wins_and_leaving_does() {
    let newsletter = Newsletter::new().await;
    let file = "email,name,state,tags\n\
        a@readers.example,First,unsubscribed,x\n\
        A@readers.example,Second,active,\n\
        b@readers.example,Bee,pending,y;x\n\
        b@readers.example,,active,\n\
        c@readers.example,,bounced,\n\
        c@readers.example,,unsubscribed,\n";
    let (report, _) = newsletter.import(file).await;
    assert_eq!(counts(report), [3, 2, 1, 0]);
    let wanted = [
        "a@readers.example weekly unsubscribed",
        "b@readers.example weekly active",
        "c@readers.example weekly bounced",
    ];
    assert_eq!(newsletter.states().await, wanted);
    assert_eq!(newsletter.names().await, ["Second", "Bee", ""]);
    assert_eq!(
        column(
            &newsletter.store,
            "SELECT tags FROM subscriber ORDER BY email"
        )
        .await,
        ["x", "x,y", ""]
    );
    let (again, _) = newsletter.import(file).await;
    assert_eq!(counts(again), [0, 0, 6, 0], "a second run changes nothing");
}

#[tokio::test]
async fn a_second_row_that_changes_the_name_counts_as_an_update() {
    let newsletter = Newsletter::new().await;
    let file =
        "email,name\na@readers.example,Ann\na@readers.example,Anna\na@readers.example,Anna\n";
    assert_eq!(counts(newsletter.import(file).await.0), [1, 1, 1, 0]);
    assert_eq!(newsletter.names().await, ["Anna"]);
    assert_eq!(counts(newsletter.import(file).await.0), [0, 0, 3, 0]);
    let other = "email,name\na@readers.example,Annie\na@readers.example,Ann\n";
    assert_eq!(counts(newsletter.import(other).await.0), [0, 2, 0, 0]);
}

#[tokio::test]
async fn leaving_wins_whoever_says_it() {
    let newsletter = Newsletter::new().await;
    newsletter
        .import("email,name\na@readers.example,Ann\nb@readers.example,Bee\n")
        .await;
    let consent = Consent {
        at: t(1),
        how: ConsentMethod::Command,
        network: None,
    };
    newsletter
        .store
        .remove(None, &address("a@readers.example"), consent)
        .await
        .unwrap();

    let (report, _) = newsletter
        .import("email,state,name\nA@readers.example,active,Anna\n")
        .await;
    assert_eq!(counts(report), [0, 1, 0, 0], "the name is new");
    let (report, _) = newsletter
        .import("email,state\na@readers.example,active\nb@readers.example,unsubscribed\n")
        .await;
    assert_eq!(counts(report), [0, 1, 1, 0]);
    let gone = [
        "a@readers.example weekly unsubscribed",
        "b@readers.example weekly unsubscribed",
    ];
    assert_eq!(newsletter.states().await, gone);
    let (report, _) = newsletter
        .import("email\na@readers.example\nb@readers.example\n")
        .await;
    assert_eq!(counts(report), [0, 0, 2, 0]);
    assert_eq!(newsletter.states().await, gone);
    assert_eq!(
        newsletter.names().await,
        ["Anna", "Bee"],
        "no name in the file is no change"
    );
}

#[tokio::test]
async fn who_only_asked_becomes_active_and_who_left_and_was_signed_up_again_does_not() {
    let newsletter = Newsletter::new().await;
    let weekly = newsletter.lists[0].1;
    newsletter.import("email\nleft@readers.example\n").await;
    let command = Consent {
        at: t(1),
        how: ConsentMethod::Command,
        network: None,
    };
    newsletter
        .store
        .remove(None, &address("left@readers.example"), command)
        .await
        .unwrap();
    for email in ["asked@readers.example", "left@readers.example"] {
        let form = Consent {
            at: t(2),
            how: ConsentMethod::Form,
            network: None,
        };
        newsletter
            .store
            .sign_up(
                weekly,
                &address(email),
                "",
                form,
                Rendered::empty(),
                hours(1),
            )
            .await
            .unwrap();
    }
    let file = "email\nleft@readers.example\nasked@readers.example\n";
    assert_eq!(counts(newsletter.import(file).await.0), [0, 1, 1, 0]);
    let wanted = [
        "asked@readers.example weekly active",
        "left@readers.example weekly pending",
    ];
    assert_eq!(newsletter.states().await, wanted);
    assert_eq!(counts(newsletter.import(file).await.0), [0, 0, 2, 0]);
}

#[tokio::test]
async fn rows_may_name_their_list() {
    let newsletter = Newsletter::new().await;
    let file = "email,list,name\na@readers.example,daily,A\na@readers.example,,B\nb@readers.example,monthly,\n";
    let (report, rejected) = newsletter.import(file).await;
    assert_eq!(counts(report), [2, 0, 0, 1]);
    assert!(
        rejected[0].0 == 4 && rejected[0].1.contains("monthly"),
        "{rejected:?}"
    );
    let wanted = [
        "a@readers.example daily active",
        "a@readers.example weekly active",
    ];
    assert_eq!(newsletter.states().await, wanted);
    assert_eq!(newsletter.names().await, ["B"]);
    let only_weekly = Request {
        only_default: true,
        ..newsletter.plan(file.as_bytes())
    };
    let report = import_file(&newsletter.store, only_weekly, |_| ())
        .await
        .unwrap();
    assert_eq!(counts(report), [0, 0, 1, 2]);
}

#[tokio::test]
async fn other_encodings_and_separators_come_in() {
    let newsletter = Newsletter::new().await;
    newsletter
        .import("\u{feff}email;name\r\na@readers.example;Zoë, Ann\r\n")
        .await;
    let text = "email\tname\r\nb@readers.example\tJürgen\r\n";
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    newsletter.import(utf16).await;
    let without_mark: Vec<u8> = text
        .replace("b@", "c@")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    newsletter.import(without_mark).await;
    newsletter
        .import(b"email,name\rd@readers.example,J\xfcrgen\re@readers.example,Dee\r")
        .await;
    assert_eq!(
        newsletter.names().await,
        ["Zoë, Ann", "Jürgen", "Jürgen", "Jürgen", "Dee"]
    );
    let mixed = [
        "email,name\nf@readers.example,Zoë\ng@readers.example,".as_bytes(),
        b"J\xfcrgen\n",
    ];
    let (report, _) = newsletter.import(mixed.concat()).await;
    assert_eq!(counts(report), [2, 0, 0, 0]);
    assert_eq!(
        newsletter.names().await[5..],
        ["Zoë", ""],
        "nothing is garbled"
    );
}

#[tokio::test]
async fn a_file_in_an_encoding_that_is_not_certain_is_refused_until_it_is_named() {
    let newsletter = Newsletter::new().await;
    let (bytes, _, _) = encoding_rs::GBK.encode("邮箱,姓名\na@readers.example,王小明\n");
    let said = import_file(&newsletter.store, newsletter.plan(&bytes), |_| ()).await;
    let said = said.unwrap_err().to_string();
    assert!(
        said.contains("people.csv:1:")
            && said.contains("--encoding")
            && said.contains("Nothing was imported."),
        "{said}"
    );
    let mut request = newsletter.plan(&bytes);
    request.options.encoding = Some("gbk".parse().unwrap());
    let report = import_file(&newsletter.store, request, |_| ())
        .await
        .unwrap();
    assert_eq!(counts(report), [1, 0, 0, 0]);
    assert_eq!(newsletter.names().await, ["王小明"]);
}

#[tokio::test]
async fn a_file_that_is_no_list_of_people_changes_nothing_and_is_named() {
    let newsletter = Newsletter::new().await;
    let endless = format!(
        "email,name\na@readers.example,A\nb@readers.example,\"B\n{}",
        "x\n".repeat(1 << 20)
    );
    for (text, why) in [
        ("", "people.csv:1: the file is empty"),
        ("\n\n , \n", "people.csv:1: the file is empty"),
        (
            "a@readers.example,Ann\n",
            "people.csv:1: the first line must name the columns",
        ),
        (
            "\n\nemail,email\n",
            "people.csv:3: columns 1 and 2 are both called email",
        ),
        (
            "Name,Email,Email\nPia,pia@readers.example,pia2@readers.example\n",
            "--map email=2 or --map email=3",
        ),
        (
            &endless,
            "people.csv:3: a quotation mark is opened on this line and never closed",
        ),
        (
            "email,name\na@readers.example,\"Ann\nb@readers.example,R\n",
            "people.csv:2: a quotation mark is opened on this line and never closed",
        ),
        (
            "email,name\na@readers.example,\"Ann\nb@readers.example,\"Bob\"\n",
            "people.csv:2: a quotation mark is opened on this line and closed within a value on line 3",
        ),
        (
            "PK\u{3}\u{4}",
            "people.csv:1: this is a ZIP archive or a spreadsheet",
        ),
    ] {
        let said = import_file(&newsletter.store, newsletter.plan(text.as_bytes()), |_| ())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            said.contains(why) && said.contains("people.csv:") && !said.contains('\n'),
            "{said}"
        );
    }
    let no_list = Request {
        default: None,
        ..newsletter.plan(b"email\na@readers.example\n")
    };
    let said = import_file(&newsletter.store, no_list, |_| ())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("there are several: weekly, daily. Add --list"),
        "{said}"
    );
    let nowhere = Request {
        file: "nowhere.csv".into(),
        ..newsletter.plan(b"")
    };
    let said = import_file(&newsletter.store, nowhere, |_| ())
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "nowhere.csv: no such file or directory. Check its name."
    );
    assert!(newsletter.states().await.is_empty());
}

/// Many people in no order, some of them twice.
fn many() -> String {
    let row = |i: u64| {
        let n = i * 7919 % 30_011;
        format!("reader{n}@readers.example,Reader {n}\n")
    };
    "email,name\n".to_owned() + &(0..30_000).chain(100..200).map(row).collect::<String>()
}

#[tokio::test]
async fn an_interrupted_import_is_completed_by_another() {
    let newsletter = Newsletter::new().await;
    let file = many();
    set_pragma(&newsletter.store, "max_page_count = 700").await;
    let error = import_file(&newsletter.store, newsletter.plan(file.as_bytes()), |_| ())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let there = newsletter.states().await.len();
    assert!(
        there > 0 && there.is_multiple_of(5_000),
        "{there} people, not whole batches"
    );
    let consent = column(&newsletter.store, "SELECT subscriber_id || '' FROM consent").await;
    assert_eq!(consent.len(), there);

    set_pragma(&newsletter.store, "max_page_count = 1000000").await;
    let (report, _) = newsletter.import(&file).await;
    assert_eq!(
        counts(report),
        [30_000 - there as u64, 0, 100 + there as u64, 0]
    );
    assert_eq!(newsletter.states().await.len(), 30_000);
    assert_eq!(counts(newsletter.import(&file).await.0), [0, 0, 30_100, 0]);
    let left: Vec<_> = fs::read_dir(newsletter.dir.path())
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert!(
        left.iter().all(
            |name| name.to_string_lossy().starts_with("letterpress.db") || name == "people.csv"
        )
    );
}

/// One person of a random newsletter: name, tags, and a state on each of the two lists.
type Random = (String, Vec<String>, [Option<usize>; 2]);

fn random_people() -> impl Strategy<Value = BTreeMap<String, Random>> {
    let state = proptest::option::of(0usize..5);
    let person = (
        "(\\PC|[\",\n\r\0;=]){0,12}",
        proptest::collection::vec("[a-c é]{1,3}", 0..3),
        [state.clone(), state],
    );
    proptest::collection::btree_map("[a-c]{1,2}", person, 0..12)
}

fn as_csv(people: &BTreeMap<String, Random>) -> Vec<u8> {
    let words = ["pending", "active", "unsubscribed", "bounced", "complained"];
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["email", "list", "state", "name", "tags"])
        .unwrap();
    for (local, (name, tags, states)) in people {
        for (list, state) in ["weekly", "daily"].into_iter().zip(states) {
            let Some(state) = state else { continue };
            let row = [
                &format!("{local}@readers.example"),
                list,
                words[*state],
                name,
                &tags.join(","),
            ];
            out.write_record(row).unwrap();
        }
    }
    out.into_inner().unwrap()
}

fn sorted(text: &str) -> Vec<csv::StringRecord> {
    let mut rows: Vec<_> = csv::Reader::from_reader(text.as_bytes())
        .records()
        .map(Result::unwrap)
        .collect();
    rows.sort_by(|a, b| a.iter().cmp(b.iter()));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn what_goes_out_comes_in_again_as_it_was(people in random_people()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let one = Newsletter::new().await;
            let (first, rejected) = one.import(as_csv(&people)).await;
            assert_eq!(rejected, []);
            assert_eq!(first.added, first.rows);
            let out = one.export().await;
            assert_eq!(sorted(&out).len() as u64, first.rows);

            let (again, _) = one.import(&out).await;
            assert_eq!(counts(again), [0, 0, first.rows, 0]);
            assert_eq!(one.export().await, out);

            let other = Newsletter::new().await;
            other.import(&out).await;
            assert_eq!(sorted(&other.export().await), sorted(&out));
        });
    }
}

#[tokio::test]
async fn names_that_are_formulas_leave_as_text_and_come_back_as_they_were() {
    let newsletter = Newsletter::new().await;
    let file = "email,name\na@readers.example,=1+1\nb@readers.example,@SUM(A1)\n\
        +c@readers.example,-2\nd@readers.example,'t Hart\n";
    let (report, _) = newsletter.import(file).await;
    assert_eq!(counts(report), [4, 0, 0, 0]);
    let exported = newsletter.export().await;
    for cell in [
        ",'=1+1,",
        ",'@SUM(A1),",
        "'+c@readers.example,'-2,",
        ",'t Hart,",
    ] {
        assert!(exported.contains(cell), "{cell}: {exported}");
    }
    let (again, _) = newsletter.import(&exported).await;
    assert_eq!(counts(again), [0, 0, 4, 0]);
}

#[tokio::test]
async fn invisible_characters_make_nobody_anew() {
    let newsletter = Newsletter::new().await;
    newsletter
        .import("email,state\nann@readers.example,unsubscribed\n")
        .await;
    let file = "email\n\u{200B}ann@readers.example\nann@readers.example\u{FEFF}\n\
        an\u{200B}n@readers.example\n";
    let (report, rejected) = newsletter.import(file).await;
    assert_eq!((report.added, rejected.len()), (0, 1));
    assert!(rejected[0].1.contains("U+200B"), "{rejected:?}");
    assert_eq!(
        newsletter.states().await,
        ["ann@readers.example weekly unsubscribed"]
    );
}

#[tokio::test]
async fn separators_are_found_without_a_mark_and_excel_may_name_them() {
    for file in [
        "email;name\nann@readers.example;Ann, the first\n",
        "email\tname\nann@readers.example\tAnn, the first\n",
        "email|name\nann@readers.example|Ann, the first\n",
        "sep=;\r\nemail;name\r\nann@readers.example;Ann, the first\r\n",
        "\u{FEFF}sep=,\nemail,name\nann@readers.example,\"Ann, the first\"\n",
        "\r\n\r\nemail;name\r\nann@readers.example;Ann, the first\r\n",
        "email;\"name\"\nann@readers.example;\"Ann, the first\"\n",
    ] {
        let letter = Newsletter::new().await;
        let (report, rejected) = letter.import(file).await;
        assert_eq!((report.added, rejected.len()), (1, 0), "{file:?}");
        assert_eq!(letter.names().await, ["Ann, the first"], "{file:?}");
    }
}

#[tokio::test]
async fn what_an_author_says_of_a_file_goes_before_what_it_looks_like() {
    let newsletter = Newsletter::new().await;
    let mut request = newsletter.plan(b"Who^Called\na@readers.example^Ann; or Anna\n");
    request.options = Options {
        mappings: vec!["email=Who".parse().unwrap(), "name=2".parse().unwrap()],
        separator: Some("^".parse().unwrap()),
        encoding: None,
    };
    let report = import_file(&newsletter.store, request, |_| ())
        .await
        .unwrap();
    assert_eq!(counts(report), [1, 0, 0, 0]);
    assert_eq!(newsletter.names().await, ["Ann; or Anna"]);
    let mut request = newsletter.plan(b"sep=;\nemail|name\nb@readers.example|Bo\n");
    request.options.separator = Some("|".parse().unwrap());
    let report = import_file(&newsletter.store, request, |_| ()).await;
    assert_eq!(counts(report.unwrap()), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_file_is_looked_at_without_changing_anything() {
    let newsletter = Newsletter::new().await;
    let file = b"\r\nE-Mail;Vorname;Nachname;Anmeldedatum;Telefon;\r\neva@readers.example;Eva;Gro\xdf;03.04.2024;1;\r\n";
    let request = newsletter.plan(file);
    let file = open(request.file, request.options).await.unwrap();
    let outlook = file.outlook();
    assert_eq!((outlook.rows, outlook.header_line), (1, Some(2)));
    assert_eq!(outlook.separator.as_char(), ';');
    assert_eq!(outlook.encoding.to_string(), "windows-1252");
    let sample = outlook.encoding_guessed_by.as_ref().unwrap();
    assert!(
        sample.line == 3 && sample.text.contains("Groß"),
        "{sample:?}"
    );
    let columns: Vec<String> = outlook
        .columns
        .iter()
        .map(|(field, name)| format!("{field}={name}"))
        .collect();
    assert_eq!(
        columns,
        [
            "email=E-Mail",
            "first_name=Vorname",
            "last_name=Nachname",
            "joined_at=Anmeldedatum"
        ]
    );
    assert_eq!(outlook.ignored, ["Telefon", "column 6"]);
    assert!(newsletter.states().await.is_empty());
}

#[tokio::test]
async fn a_file_of_addresses_alone_needs_no_first_line() {
    let newsletter = Newsletter::new().await;
    let file = "a@readers.example\nAnn <b@readers.example>\n\nno-at-sign\n";
    let (report, rejected) = newsletter.import(file).await;
    assert_eq!(counts(report), [2, 0, 0, 1]);
    assert_eq!(rejected[0].0, 4);
    assert_eq!(newsletter.names().await, ["", "Ann"]);
    let request = newsletter.plan(file.as_bytes());
    let opened = open(request.file, request.options).await.unwrap();
    assert_eq!(
        (opened.outlook().rows, opened.outlook().header_line),
        (3, None)
    );
    let mut request = newsletter.plan(b"Cee,c@readers.example\nDee,d@readers.example\n");
    request.options.mappings = vec!["email=2".parse().unwrap(), "name=1".parse().unwrap()];
    let report = import_file(&newsletter.store, request, |_| ())
        .await
        .unwrap();
    assert_eq!(counts(report), [2, 0, 0, 0], "the first row is a person");
    assert_eq!(newsletter.names().await, ["", "Ann", "Cee", "Dee"]);
}

#[tokio::test]
async fn values_that_cannot_be_read_are_told_and_counted_and_cost_nobody() {
    let newsletter = Newsletter::new().await;
    let rows: String = (0..10)
        .map(|i| format!("r{i}@readers.example,R,soon\n"))
        .collect();
    let file = format!(
        "email,name,joined_at\n{rows}odd@readers.example,\"O\nx@readers.example\",2024-05-06\n"
    );
    let mut told = Vec::new();
    let request = newsletter.plan(file.as_bytes());
    let report = import_file(&newsletter.store, request, |event| match event {
        Event::Noted {
            line,
            note: Note::Date { value },
        } => told.push(format!("{line} {value}")),
        Event::NotedMore {
            like: Note::Date { .. },
            rows,
        } => told.push(format!("{rows} more")),
        Event::Noted {
            line,
            note: Note::RowInName,
        } => told.push(format!("{line} row in name")),
        _ => {}
    });
    let report = report.await.unwrap();
    assert_eq!(counts(report), [11, 0, 0, 0]);
    assert_eq!(
        told,
        ["2 soon", "3 soon", "4 soon", "12 row in name", "7 more"]
    );
}

#[tokio::test]
async fn a_line_that_names_the_separator_counts_as_a_line() {
    let letter = Newsletter::new().await;
    let (_, rejected) = letter
        .import("sep=;\nemail;name\nann@readers.example;Ann\nno-at-sign;Bob\n")
        .await;
    assert_eq!(rejected[0].0, 4);
}
