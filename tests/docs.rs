//! The documentation says what is so: the README and every page of `docs/` are held against the files beside them and
//! against the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands that only hold others, as `letterpress dkim new`.
const GROUPS: [&str; 4] = ["config", "dkim", "keys", "subscribers"];

/// What messages have from the system, or as a value.
const VALUES: [&str; 5] = [
    "address already in use",
    "connection refused",
    "failed to lookup address information",
    "letterpress.toml",
    "no such file or directory",
];

/// A line of a page.
struct Line<'a> {
    number: usize,
    text: &'a str,
    /// The language of the code block that the line stands in; empty where none is named.
    code: Option<&'a str>,
}

/// A page, with its path from the root of the repository.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    /// The lines, without the fences around code.
    fn lines(&self) -> Vec<Line<'_>> {
        let mut found = Vec::new();
        let mut fence: Option<(&str, &str)> = None;
        for (at, text) in self.text.lines().enumerate() {
            let marker = &text[..text.len() - text.trim_start_matches('`').len()];
            match fence {
                Some((open, _)) if marker == open && text.trim_end() == open => fence = None,
                None if marker.len() >= 3 => fence = Some((marker, text[marker.len()..].trim())),
                _ => found.push(Line {
                    number: at + 1,
                    text,
                    code: fence.map(|(_, language)| language),
                }),
            }
        }
        found
    }

    /// The headings' anchors, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.lines().into_iter().filter(|line| line.code.is_none());
        headings
            .filter_map(|line| {
                let title = line.text.trim_start_matches('#');
                (title.len() < line.text.len()).then(|| anchor(title.trim()))
            })
            .collect()
    }

    fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter_map(|c| match c {
        ' ' | '-' => Some('-'),
        c if c.is_alphanumeric() || c == '_' => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            paths.push(Path::new("docs").join(name));
        }
    }
    paths.sort();
    let read = |path: PathBuf| Page {
        text: std::fs::read_to_string(root().join(&path)).unwrap(),
        path,
    };
    paths.into_iter().map(read).collect()
}

/// The spans of code in a line of text.
fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// A line of text without its spans of code.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

fn fail_with(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let pages = pages();
    let anchors: BTreeMap<_, _> = pages
        .iter()
        .map(|page| (page.path.clone(), page.anchors()))
        .collect();
    let mut wrong = Vec::new();
    for page in &pages {
        for line in page.lines().iter().filter(|line| line.code.is_none()) {
            for target in targets(&without_code(line.text)) {
                if let Some(why) = why_dead(page, &target, &anchors) {
                    wrong.push(format!("{}: {target} {why}", page.at(line.number)));
                }
            }
        }
    }
    fail_with(&wrong);
}

/// Where the links and pictures of a line lead.
fn targets(line: &str) -> Vec<String> {
    let markdown = line
        .match_indices("](")
        .filter_map(|(at, open)| line[at + open.len()..].split([')', ' ']).next());
    let html = ["src=\"", "href=\"", "srcset=\""]
        .into_iter()
        .flat_map(|name| {
            line.match_indices(name)
                .filter_map(move |(at, _)| line[at + name.len()..].split('"').next())
        });
    markdown.chain(html).map(str::to_owned).collect()
}

/// Why a target can't be followed; addresses on the web are not looked up.
fn why_dead(
    page: &Page,
    target: &str,
    anchors: &BTreeMap<PathBuf, BTreeSet<String>>,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => page.path.clone(),
        file => tidy(&page.path.parent().unwrap().join(file)),
    };
    if !root().join(&path).exists() {
        return Some("does not exist".to_owned());
    }
    let known = anchors.get(&path);
    (!heading.is_empty() && known.is_some_and(|known| !known.contains(heading)))
        .then(|| format!("names a heading that {} does not have", path.display()))
}

/// A path without `..`.
fn tidy(path: &Path) -> PathBuf {
    path.iter().fold(PathBuf::new(), |mut path, part| {
        if part == ".." {
            path.pop();
        } else {
            path.push(part);
        }
        path
    })
}

#[test]
fn every_setting_exists() {
    let known = Known::of_the_sample();
    let mut wrong = Vec::new();
    for page in pages() {
        let mut section = None;
        for line in page.lines() {
            let found = match line.code {
                Some("toml") => {
                    let text = line.text.trim_start_matches("# ");
                    match section_of(text) {
                        Some(name) => {
                            section = Some(name.clone());
                            vec![(name, None)]
                        }
                        None => key_of(text)
                            .map(|key| (section.clone().unwrap_or_default(), Some(key.to_owned())))
                            .into_iter()
                            .collect(),
                    }
                }
                Some(_) => Vec::new(),
                None => {
                    section = None;
                    code_spans(line.text)
                        .into_iter()
                        .filter_map(setting)
                        .collect()
                }
            };
            for (section, key) in found {
                if !known.has(&section, key.as_deref()) {
                    let key = key.unwrap_or_default();
                    wrong.push(format!(
                        "{}: there is no setting [{section}] {key}",
                        page.at(line.number)
                    ));
                }
            }
        }
    }
    fail_with(&wrong);
}

/// The settings that `deploy/letterpress.toml` has; another test holds it against the program.
struct Known(BTreeSet<(String, String)>);

impl Known {
    fn of_the_sample() -> Known {
        let text = std::fs::read_to_string(root().join("deploy/letterpress.toml")).unwrap();
        let mut section = String::new();
        let mut found = BTreeSet::new();
        for line in text.lines() {
            let line = line.trim_start_matches("# ");
            if let Some(name) = section_of(line) {
                section = name;
            } else if let Some(key) = key_of(line) {
                found.insert((section.clone(), key.to_owned()));
            }
        }
        Known(found)
    }

    /// Whether there is such a section, or such a key in it. Of further headers the author chooses the names.
    fn has(&self, section: &str, key: Option<&str>) -> bool {
        self.0.iter().any(|(its, known)| {
            its == section && (section.ends_with(".headers") || key.is_none_or(|key| key == known))
        })
    }
}

/// The section that a line begins, with `*` for a name that the author chooses.
fn section_of(line: &str) -> Option<String> {
    let inner = line.trim().strip_prefix('[')?.split_once(']')?.0;
    let name = |c: char| c.is_ascii_alphanumeric() || "._-\"*".contains(c);
    if inner.is_empty() || !inner.chars().all(name) {
        return None;
    }
    // A quoted name has dots of its own.
    let mut parts: Vec<&str> = match inner.split_once('"') {
        Some((before, _)) => vec![before.trim_end_matches('.'), "*"],
        None => inner.split('.').collect(),
    };
    if matches!(parts[0], "relay" | "domain" | "list") {
        match parts.get_mut(1) {
            Some(part) => *part = "*",
            None => parts.push("*"),
        }
    }
    Some(parts.join("."))
}

fn key_of(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!key.is_empty() && key.chars().all(is_name)).then_some(key)
}

/// A setting as text names it: `[web] listen`, or a whole section: `[web]`.
fn setting(span: &str) -> Option<(String, Option<String>)> {
    let section = section_of(span)?;
    let rest = span.split_once(']')?.1;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim();
    let key = rest.split([' ', '=']).next().unwrap_or_default();
    Some((section, (!key.is_empty()).then(|| key.to_owned())))
}

#[test]
fn every_example_of_settings_is_accepted() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("smtp-password"), "secret\n").unwrap();
    let mut wrong = Vec::new();
    for page in pages() {
        for (line, block) in blocks(&page, "toml") {
            let file = folder.join("letterpress.toml");
            std::fs::write(&file, block).unwrap();
            let args = ["config", "check", "--json", "--config"];
            let (_, out) = letterpress(&[&args[..], &[file.to_str().unwrap()]].concat());
            // An example need not hold every setting that is required.
            let errors = out.lines().filter(|finding| {
                finding.contains("\"severity\":\"error\"") && !finding.contains("is not set")
            });
            wrong.extend(errors.map(|error| format!("{}: {error}", page.at(line))));
        }
    }
    fail_with(&wrong);
}

/// The code blocks of a language, each with the line of its fence.
fn blocks(page: &Page, language: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut before = 0;
    for line in page.lines() {
        if line.code == Some(language) {
            if line.number != before + 1 || found.is_empty() {
                found.push((line.number - 1, String::new()));
            }
            if let Some((_, block)) = found.last_mut() {
                let _ = writeln!(block, "{}", line.text);
            }
            before = line.number;
        }
    }
    found
}

#[test]
fn every_command_and_option_exists() {
    let mut helps: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for page in pages() {
        for line in page.lines() {
            let commands: Vec<&str> = match line.code {
                Some("" | "sh") => line.text.split("&&").collect(),
                Some(_) => continue,
                None => code_spans(line.text),
            };
            for words in commands.into_iter().filter_map(arguments) {
                let command = command(&words);
                if command.is_empty() {
                    continue;
                }
                let help = helps
                    .entry(command.clone())
                    .or_insert_with(|| help_of(&command));
                let Some(help) = help else {
                    wrong.push(format!(
                        "{}: there is no command letterpress {command}",
                        page.at(line.number)
                    ));
                    continue;
                };
                for option in words.iter().filter(|word| word.starts_with("--")) {
                    let option = option.split('=').next().unwrap_or(option);
                    if option.len() > 2 && !has_option(help, option) {
                        wrong.push(format!(
                            "{}: letterpress {command} does not take {option}",
                            page.at(line.number)
                        ));
                    }
                }
            }
        }
    }
    fail_with(&wrong);
}

#[test]
fn every_message_of_the_troubleshooting_page_is_one_of_the_programs() {
    let sources = sources();
    let page = pages()
        .into_iter()
        .find(|page| page.path.ends_with("troubleshooting.md"))
        .unwrap();
    let mut wrong = Vec::new();
    for line in page.lines().iter().filter(|line| line.code.is_none()) {
        if !line.text.starts_with("### `") {
            continue;
        }
        // `…` stands for a value.
        let heading = VALUES
            .iter()
            .fold(line.text.to_owned(), |text, value| text.replace(value, "…"));
        for part in code_spans(&heading)
            .iter()
            .flat_map(|message| message.split('…'))
        {
            let part = part.trim_matches([' ', ':']);
            if !sources.contains(part) {
                wrong.push(format!("{}: no message has “{part}”", page.at(line.number)));
            }
        }
    }
    fail_with(&wrong);
}

/// The program's text, without line breaks within strings.
fn sources() -> String {
    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, text);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    read(&root().join("src"), &mut text);
    let pieces = text.split("\\\n").enumerate();
    let joined = pieces.map(|(at, piece)| if at == 0 { piece } else { piece.trim_start() });
    joined.collect()
}

/// What follows `letterpress` in a line that runs it, up to a comment or a pipe; nothing for any other line.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let words = line.split_whitespace();
    let mut words = words.skip_while(|word| *word == "$" || *word == "#");
    let mut rest: Vec<&str> = words.by_ref().collect();
    // Under another user: `runuser -u letterpress -- letterpress …`.
    if let Some(at) = rest.iter().position(|word| *word == "--") {
        rest.drain(..=at);
    }
    if rest.first() != Some(&"letterpress") {
        return None;
    }
    let end = |word: &&str| matches!(*word, "|" | ">" | ">>" | "<" | "#" | ";" | "&");
    Some(
        rest[1..]
            .iter()
            .copied()
            .take_while(|word| !end(word))
            .collect(),
    )
}

/// The command that arguments begin with. `COMMAND` stands for any.
fn command(words: &[&str]) -> String {
    let is_name = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let mut names = words.iter().filter(|word| !word.starts_with('-'));
    let Some(first) = names.next().filter(is_name) else {
        return String::new();
    };
    let second = GROUPS.contains(first).then(|| names.next());
    match second.flatten().filter(is_name) {
        Some(second) => format!("{first} {second}"),
        None => (*first).to_owned(),
    }
}

fn has_option(help: &str, option: &str) -> bool {
    help.match_indices(option).any(|(at, _)| {
        let next = help[at + option.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

/// What a command says of itself, if there is such a command.
fn help_of(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
    let (known, out) = letterpress(&words);
    known.then_some(out)
}

/// Runs the program in an empty environment; gives whether it exited with 0, and its stdout.
fn letterpress(args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_letterpress"))
        .args(args)
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), out)
}
