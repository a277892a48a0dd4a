//! Who may know whom: reads the `use` lines and paths of every file, and holds them to the arrows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each room may use, beside itself, `model` and `format`. `*`: everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("cli", &["*"]),
    (
        "app",
        &[
            "config", "schedule", "delivery", "smtp", "http", "store", "link", "inbox", "compose",
            "notice", "pace", "stdio",
        ],
    ),
    ("config", &["delivery", "files", "smtp", "pace", "schedule"]),
    ("operate", &["config", "publish", "store", "mail", "pace"]),
    (
        "publish",
        &["files", "manuscript", "compose", "store", "link"],
    ),
    ("schedule", &["publish", "store"]),
    ("delivery", &["smtp", "mail", "store", "link", "pace"]),
    ("smtp", &["files"]),
    ("pace", &[]),
    ("http", &["store", "link", "notice", "page", "phrases"]),
    ("people", &["files", "store"]),
    ("notice", &["compose", "phrases"]),
    ("compose", &["files", "link", "manuscript", "phrases"]),
    ("manuscript", &[]),
    ("mail", &["link", "phrases"]),
    ("inbox", &["page"]),
    ("store", &[]),
    ("link", &[]),
    ("phrases", &[]),
    ("page", &[]),
    ("model", &[]),
    ("format", &[]),
    ("files", &[]),
    ("stdio", &[]),
    ("main", &["cli"]),
    ("lib", &["*"]),
];

/// Crates that are at home in some rooms alone.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("axum", &["http", "inbox"]),
    ("mrml", &["compose/theme"]),
    ("comrak", &["manuscript"]),
    ("croner", &["schedule"]),
    ("lettre", &["smtp/client", "model/address"]),
    ("html5ever", &["manuscript"]),
    ("minijinja", &["compose", "notice"]),
    ("image", &["compose/pictures"]),
    ("moxcms", &["compose/pictures/colours"]),
    ("zune_jpeg", &["compose/pictures/colours"]),
    ("roaring", &["delivery/scheduler"]),
    ("governor", &["http/limit"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli/completions"]),
    ("clap_mangen", &["cli/man"]),
    ("anstream", &["stdio"]),
    ("toml", &["config", "manuscript", "compose/theme"]),
    ("encoding_rs", &["people"]),
    ("chardetng", &["people/encoding"]),
];

/// Every file of `src` with its path below it, but for those that hold only tests: they may use what they
/// like, as test modules within a file do.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    files.retain(|(path, _)| {
        let path = path.with_extension("");
        !path.iter().any(|name| name == "tests" || name == "testing")
    });
    files
}

/// Every Rust file below a folder, with its path from there.
fn files_below(root: &Path) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            (
                path.strip_prefix(root).unwrap().to_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

/// The room that a file belongs to.
fn room(path: &Path) -> String {
    let first = path
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code without comments and without what only tests see.
fn code(text: &str) -> String {
    // A test module within the file ends its code; the declaration of one in a file of its own does not.
    let end = text
        .match_indices("#[cfg(test)]\nmod ")
        .find(|(at, _)| {
            text[*at..]
                .lines()
                .nth(1)
                .is_some_and(|line| line.ends_with('{'))
        })
        .map_or(text.len(), |(at, _)| at);
    text[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names that follow a prefix such as `crate::`, also within braces.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let boundary = code[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        if !boundary {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let ident = |text: &str| -> String {
            text.trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        };
        match rest.strip_prefix('{') {
            Some(list) => {
                // The first name of each member; nested braces are skipped.
                let mut depth = 0;
                let mut member = String::new();
                for c in list.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => names.push(ident(&std::mem::take(&mut member))),
                        c if depth == 0 => member.push(c),
                        _ => {}
                    }
                }
                names.push(ident(&member));
            }
            None => names.push(ident(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn rooms_know_only_those_below_them() {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = room(&path);
        let Some(may) = arrows.get(from.as_str()) else {
            wrong.push(format!("{} is in no known room", path.display()));
            continue;
        };
        for to in names_after(&code(&text), "crate::") {
            let is_room = arrows.contains_key(to.as_str());
            let allowed = to == from
                || matches!(to.as_str(), "model" | "format")
                || may.contains(&"*")
                || may.contains(&to.as_str());
            if is_room && !allowed {
                wrong.push(format!("{} uses {to}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these arrows point upwards or sideways:\n{}",
        wrong.join("\n")
    );
}

/// An arrow that is allowed and not there is a door left open.
#[test]
fn every_allowed_arrow_is_used() {
    let mut used = std::collections::BTreeSet::new();
    for (path, text) in sources() {
        for to in names_after(&code(&text), "crate::") {
            used.insert((room(&path), to));
        }
    }
    let unused: Vec<String> = ARROWS
        .iter()
        .flat_map(|(from, may)| {
            may.iter()
                .map(move |to| ((*from).to_owned(), (*to).to_owned()))
        })
        .filter(|(from, to)| {
            from != "main" && to != "*" && !used.contains(&(from.clone(), to.clone()))
        })
        .map(|(from, to)| format!("{from} → {to}"))
        .collect();
    assert!(
        unused.is_empty(),
        "these arrows are allowed and nothing uses them:\n{}",
        unused.join("\n")
    );
}

/// The module path of a file: `store/people/mod.rs` is `store::people`.
fn module(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.pop_if(|last| last == "mod" || last == "lib");
    parts
}

/// Reads the names after a path's start; a brace opens a branch for each member.
fn branches(text: &str, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let name: usize = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .map(char::len_utf8)
            .sum();
        if rest.starts_with('{') {
            at += 1;
            loop {
                at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
                if text[at..].starts_with('}') || text[at..].is_empty() {
                    return at + 1;
                }
                let read = branches(&text[at..], &path, found);
                at += read.max(1);
            }
        }
        path.push(rest[..name].to_owned());
        at += name;
        if name > 0 && text[at..].starts_with("::") {
            at += 2;
        } else {
            found.push(path);
            return at;
        }
    }
}

/// The paths that begin with `crate`, `super` or `self` in a file's code, braces opened.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let boundary =
                !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if boundary {
                branches(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// What a folder's face hands on from its files: the path by which others name it, and the one where it is defined.
fn handed_on(files: &[(PathBuf, String)]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut handed = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with("mod.rs")) {
        let (face, code) = (module(path), code(text));
        for (at, opening) in code.match_indices(" use ") {
            if !code[..at].ends_with("pub") && !code[..at].ends_with(')') {
                continue;
            }
            let mut paths = Vec::new();
            branches(&code[at + opening.len()..], &[], &mut paths);
            for mut names in paths {
                names.retain(|name| name != "self");
                let outside = ["crate", "super"].contains(&names[0].as_str());
                if let (false, Some(name)) = (outside, names.last()) {
                    let shown = [face.clone(), vec![name.clone()]].concat();
                    handed.insert(shown, [face.clone(), names].concat());
                }
            }
        }
    }
    handed
}

/// Which files each file uses, by module path. The `mod.rs` of a folder is its face: it knows its files and they
/// know it, so arrows to and from it are left out, and what it hands on counts as the file's where it is defined.
fn arrows_between_files() -> BTreeMap<Vec<String>, Vec<Vec<String>>> {
    let files = sources();
    let is_face = |path: &Path| path.ends_with("mod.rs") || path.ends_with("lib.rs");
    let modules: Vec<Vec<String>> = files
        .iter()
        .filter(|(path, _)| !is_face(path))
        .map(|(path, _)| module(path))
        .collect();
    let handed = handed_on(&files);
    let mut arrows = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| !is_face(path)) {
        let here = module(path);
        let mut to: Vec<Vec<String>> = Vec::new();
        for used in paths_in(&code(text)) {
            let mut full = match used[0].as_str() {
                "crate" => Vec::new(),
                _ => here.clone(),
            };
            for name in &used {
                match name.as_str() {
                    "crate" | "self" => {}
                    "super" => drop(full.pop()),
                    name => full.push(name.to_owned()),
                }
            }
            // A name may be handed on by several faces, one above the other.
            while let Some(defined) = (1..=full.len()).rev().find_map(|n| handed.get(&full[..n])) {
                if full.starts_with(defined) {
                    break;
                }
                full = defined.clone();
            }
            let target = modules
                .iter()
                .filter(|m| full.starts_with(m) && **m != here)
                .max_by_key(|m| m.len());
            to.extend(target.cloned());
        }
        arrows.insert(here, to);
    }
    arrows
}

#[test]
fn files_know_each_other_one_way() {
    let arrows = arrows_between_files();
    let reach = |from: &Vec<String>| {
        let mut seen = std::collections::BTreeSet::new();
        let mut next = arrows[from].clone();
        while let Some(file) = next.pop() {
            if seen.insert(file.clone()) {
                next.extend(arrows[&file].iter().cloned());
            }
        }
        seen
    };
    let in_circle: Vec<String> = arrows
        .keys()
        .filter(|file| reach(file).contains(*file))
        .map(|file| file.join("::"))
        .collect();
    assert!(
        in_circle.is_empty(),
        "these files use each other in a circle:\n{}",
        in_circle.join("\n")
    );
}

#[test]
fn paths_are_read_from_all_forms_of_use() {
    let code = "use super::a::{self, B, c::{D, e}};\nlet x = crate::f::g(1); notsuper::h";
    let mut paths: Vec<String> = paths_in(code).iter().map(|path| path.join("::")).collect();
    paths.sort();
    let wanted = [
        "crate::f::g",
        "super::a::B",
        "super::a::c::D",
        "super::a::c::e",
        "super::a::self",
    ];
    assert_eq!(paths, wanted);
}

#[test]
fn each_big_crate_lives_in_its_room() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let code = code(&text);
        let place = path.with_extension("").to_string_lossy().into_owned();
        for (name, homes) in HOMES {
            let used = code.contains(&format!("use {name}::"))
                || !names_after(&code, &format!("{name}::")).is_empty();
            let at_home = homes
                .iter()
                .any(|home| place == *home || place.starts_with(&format!("{home}/")));
            if used && !at_home {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these crates are away from home:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_stdio_opens_stdout_and_stderr() {
    for (path, text) in sources() {
        let used = names_after(&code(&text), "io::");
        let opened = used
            .iter()
            .find(|name| matches!(name.as_str(), "stdout" | "stderr"));
        assert!(
            opened.is_none() || path.ends_with("stdio/mod.rs"),
            "{} opens {opened:?}; a write that fails must not be a panic",
            path.display()
        );
    }
}

#[test]
fn only_the_clock_asks_the_machine_for_time() {
    for (path, text) in sources() {
        let allowed = text.contains("clippy::disallowed_methods");
        assert!(
            !allowed || path.ends_with("app/clock.rs"),
            "{} allows itself to ask the machine",
            path.display()
        );
    }
}

/// Rooms that only compute: they neither wait nor ask for the time.
#[test]
fn pure_rooms_use_no_runtime_and_no_clock() {
    for (path, text) in sources() {
        if matches!(room(&path).as_str(), "pace" | "model") {
            let code = code(&text);
            for impure in ["tokio::", "Instant::now", "SystemTime"] {
                assert!(!code.contains(impure), "{} uses {impure}", path.display());
            }
        }
    }
}

#[test]
fn names_are_read_from_all_forms_of_use() {
    let code = "use crate::store::Store;\nuse crate::{delivery, http::{self, Site}, words};\nlet x = crate::mail::Template::new();\nmy_crate::other";
    let mut names = names_after(code, "crate::");
    names.sort();
    assert_eq!(names, ["delivery", "http", "mail", "store", "words"]);
}

/// An invariant without its test is a wish: each name in the table of ARCHITECTURE.md must be a function.
#[test]
fn each_invariant_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, table) = page
        .split_once("## Invariants")
        .expect("a heading “Invariants”");
    let (table, _) = table.split_once("\n## ").unwrap_or((table, ""));
    let held: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'))
        .filter_map(|line| line.trim_end_matches(['|', ' ']).rsplit('|').next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(held.len() > 20, "the table was not found: {held:?}");
    let mut code = String::new();
    for folder in ["src", "tests"] {
        for (_, text) in files_below(&root.join(folder)) {
            code.push_str(&text);
        }
    }
    let missing: Vec<&str> = held
        .into_iter()
        .filter(|name| !code.contains(&format!("fn {name}(")))
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md names tests that do not exist: {missing:?}"
    );
}
