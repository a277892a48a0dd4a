//! The demo's folder: settings, the example issue with its pictures, the next one, and the people.
//!
//! What is there already is kept, so that an existing demo is opened again as it was left.

use std::path::{Path, PathBuf};

use crate::config::{self, Settings};
use crate::files;
use crate::model::issue::Issue;
use crate::publish;

use super::super::init::{make_folder, write_new};
use super::super::{Failure, issue_file};
use super::people;
use super::places::Ports;

/// The issues and pictures of the demo, embedded so that the program alone is enough.
#[derive(rust_embed::RustEmbed)]
#[folder = "examples/"]
struct Examples;

/// The example issue and the one after it: the name inside the program, and in the folder.
const ISSUES: [(&str, &str); 2] = [("issue-22.md", "022.md"), ("issue-23.md", "023.md")];
/// The database, as the demo's settings name it.
const DATABASE: &str = "letterpress.db";
/// The newsletter of the example.
const NAME: &str = "Akira's Machine Learning News";

/// The file by which a demo knows a folder of its own making.
const MARKER: &str = ".letterpress-demo";
const MARKER_TEXT: &str = "This folder was made by `letterpress demo`, which may change anything in it.\n\
    Delete this file to keep the demo out.\n";

/// Where everything lies.
pub(super) struct Folder {
    pub dir: PathBuf,
    pub settings: PathBuf,
    pub inbox: PathBuf,
    pub people: PathBuf,
    /// The issue that is sent.
    pub issue: PathBuf,
    /// The next issue, ready to be sent.
    pub next: PathBuf,
}

impl Folder {
    fn at(dir: &Path, issue: &str, next: &str) -> Self {
        Self {
            settings: dir.join(config::FILE),
            inbox: dir.join("inbox"),
            people: dir.join("subscribers.csv"),
            issue: dir.join("issues").join(issue),
            next: dir.join("issues").join(next),
            dir: dir.to_owned(),
        }
    }

    /// How the folder is called: `demo/`.
    pub(super) fn shown(&self) -> String {
        format!("{}/", self.dir.display().to_string().trim_end_matches('/'))
    }
}

/// Whether a demo is in this folder already; nothing is written.
///
/// # Errors
/// The folder holds something that no demo made, or a demo that has become a real newsletter: it would be mailed
/// to the inbox inside, and its readers would count as having got it.
pub(super) fn is_demo(dir: &Path) -> Result<bool, Failure> {
    let failed = |e: std::io::Error| unreadable_folder(dir, &e);
    let entries = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().transpose().map_err(failed)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(failed(e)),
    };
    if entries.is_none() {
        return Ok(false);
    }
    let is_marked = is_plain(&dir.join(MARKER), std::fs::FileType::is_file);
    if !is_marked.is_some_and(|plain| plain) {
        return Err(foreign(
            dir,
            "this folder was not made by `letterpress demo`, and may hold a real newsletter",
        ));
    }
    let own = [
        (
            config::FILE,
            std::fs::FileType::is_file as fn(&std::fs::FileType) -> bool,
        ),
        (DATABASE, std::fs::FileType::is_file),
        ("issues", std::fs::FileType::is_dir),
        ("inbox", std::fs::FileType::is_dir),
    ];
    for (name, is_right) in own {
        if is_plain(&dir.join(name), is_right) == Some(false) {
            return Err(foreign(
                &dir.join(name),
                "this is not what `letterpress demo` made here",
            ));
        }
    }
    Ok(dir.join(config::FILE).exists())
}

/// Refuses settings, or variables of the environment, by which a demo would reach beyond its folder.
///
/// # Errors
/// The database is another, a relay is not on this machine, or readers elsewhere could follow the links.
pub(super) fn stays_inside(dir: &Path, settings: &Settings) -> Result<(), Failure> {
    let is_here = |host: &str| config::is_loopback(&format!("http://{host}/"));
    let has_own_database = std::path::absolute(&settings.database).ok()
        == std::path::absolute(dir.join(DATABASE)).ok();
    let reason = if !has_own_database {
        "the database is not the demo's own"
    } else if !settings
        .sending
        .relays
        .iter()
        .all(|relay| is_here(&relay.endpoint.host))
    {
        "a relay is not on this machine"
    } else if !settings
        .public_url
        .as_deref()
        .is_some_and(config::is_loopback)
    {
        "web.public_url is not on this machine"
    } else {
        return Ok(());
    };
    Err(foreign(
        &dir.join(config::FILE),
        &format!("these are not a demo's settings: {reason}"),
    ))
}

/// Whether an entry is of the kind that it should be, and no link; `None` where there is none.
fn is_plain(path: &Path, is_right: fn(&std::fs::FileType) -> bool) -> Option<bool> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    Some(is_right(&meta.file_type()))
}

fn foreign(at: &Path, why: &str) -> Failure {
    Failure::new(why)
        .at(at.display().to_string())
        .help("Choose an empty or a new folder with --dir. Nothing was changed.")
}

fn unreadable_folder(dir: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "the folder can't be read: {}",
        crate::format::io(error)
    ))
    .at(dir.display().to_string())
    .help("Choose an empty or a new folder with --dir.")
}

/// Makes what is missing: the program's own example, or the author's file with its pictures.
///
/// # Errors
/// The file can't be read, or the folder can't be written.
pub(super) fn prepare(
    dir: &Path,
    issue: Option<&Path>,
    subscribers: u32,
    ports: &Ports,
) -> Result<Folder, Failure> {
    // Read before anything is written, so that a wrong name leaves nothing behind.
    let own = issue
        .map(|file| issue_file::read(file).map(|manuscript| (file, manuscript.issue)))
        .transpose()?;
    make_folder(dir)?;
    write_if_missing(&dir.join(MARKER), MARKER_TEXT)?;
    make_folder(&dir.join("issues"))?;
    let (folder, letter) = match own {
        Some((file, issue)) => (with_issue(dir, file, &issue)?, Letter::of(&issue)),
        None => (with_examples(dir)?, Letter::example()),
    };
    write_if_missing(&folder.people, &people::csv(subscribers))?;
    if !folder.settings.exists() {
        write_new(&folder.settings, &settings(&letter, ports))?;
    }
    Ok(folder)
}

/// An existing demo: the issue that it sent, where that can be told from its files, and the next one.
pub(super) fn existing(dir: &Path) -> Folder {
    let files = crate::schedule::files(&dir.join("issues")).unwrap_or_default();
    let name = |file: Option<&PathBuf>| {
        file.and_then(|f| f.file_name())
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
    };
    Folder::at(dir, &name(files.first()), &name(files.last()))
}

fn with_examples(dir: &Path) -> Result<Folder, Failure> {
    let folder = Folder::at(dir, ISSUES[0].1, ISSUES[1].1);
    for name in Examples::iter() {
        let Some(file) = Examples::get(&name) else {
            continue;
        };
        let to = match ISSUES.iter().find(|(inside, _)| *inside == name) {
            Some((_, outside)) => *outside,
            None if name.ends_with(".png") => name.as_ref(),
            None => continue,
        };
        copy(&dir.join("issues").join(to), &file.data)?;
    }
    Ok(folder)
}

fn with_issue(dir: &Path, file: &Path, issue: &Issue) -> Result<Folder, Failure> {
    let name = file.file_name().map_or_else(
        || "issue.md".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    let next = issue
        .meta
        .number
        .map_or_else(|| "next.md".to_owned(), |n| format!("{:03}.md", n + 1));
    let folder = Folder::at(dir, &name, &next);
    let bytes =
        |path: &Path| files::read(path, files::PICTURE_MAX_BYTES).map_err(|e| unreadable(path, &e));
    copy(&folder.issue, &bytes(file)?)?;
    let beside = file.parent().unwrap_or(Path::new(""));
    let (pictures, _) = crate::compose::pictures::load(issue, beside);
    for picture in pictures.iter() {
        copy(
            &dir.join("issues").join(&picture.src),
            &bytes(&picture.path)?,
        )?;
    }
    write_if_missing(&folder.next, &next_issue(issue))?;
    Ok(folder)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "the file can't be read: {}",
        crate::format::io(error)
    ))
    .at(path.display().to_string())
}

fn copy(to: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if to.exists() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    std::fs::write(to, bytes).map_err(|e| {
        // Half a picture would be taken for a whole one the next time.
        let _ = std::fs::remove_file(to);
        Failure::new(format!(
            "the file can't be written: {}",
            crate::format::io(&e)
        ))
        .at(to.display().to_string())
        .help("Choose another folder with --dir.")
    })
}

fn write_if_missing(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        Ok(())
    } else {
        write_new(path, text)
    }
}

/// What the settings say of the newsletter.
struct Letter {
    name: String,
    /// The headline of the sign-up page.
    promise: String,
    /// What one gets, below it; empty where nobody says.
    description: String,
    from: String,
    language: String,
}

impl Letter {
    /// The newsletter of the example.
    fn example() -> Self {
        Self {
            name: NAME.into(),
            promise: "The week’s machine learning, every Sunday".into(),
            description:
                "A dozen papers and articles, each with one figure and two sentences on why it matters."
                    .into(),
            from: "Akira".into(),
            language: "en".into(),
        }
    }

    /// A newsletter for an issue by somebody else: its title without the number at the end.
    fn of(issue: &Issue) -> Self {
        let title = issue.meta.title.trim();
        let name = title
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end_matches(|c: char| c.is_whitespace() || "#-–—:,.№".contains(c))
            .trim_end_matches(" No")
            .trim_end_matches(" Issue");
        let name = if name.is_empty() { "A letter" } else { name };
        let language = issue.meta.language.clone().unwrap_or_else(|| "en".into());
        // English words in a headline of another language would be a fault of ours.
        let promise = if language.starts_with("en") {
            format!("{name}, by mail")
        } else {
            name.to_owned()
        };
        Self {
            name: name.into(),
            promise,
            description: String::new(),
            from: name.into(),
            language,
        }
    }
}

fn settings(letter: &Letter, ports: &Ports) -> String {
    let quoted = config::quoted;
    format!(
        "# The demo's settings: everything stays on this machine.\n\n\
         [web]\nlisten = \"127.0.0.1:{web}\"\npublic_url = \"http://127.0.0.1:{web}\"\n\n\
         [store]\npath = \"{DATABASE}\"\n\n\
         # The inbox inside takes the mails.\n\
         [relay.inbox]\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n\n\
         [list.weekly]\nname = {name}\npromise = {promise}\ndescription = {description}\nfrom = {from}\nlanguage = {language}\n\
         issues = \"issues\"\npostal_address = \"1 Composing Room, Type Street, Letterford\"\n\n\
         [list.weekly.utm]\nsource = \"Revue newsletter\"\nmedium = \"email\"\ncampaign = \"{{list}}\"\n",
        web = ports.web,
        smtp = ports.smtp,
        name = quoted(&letter.name),
        promise = quoted(&letter.promise),
        description = quoted(&letter.description),
        from = quoted(&format!(
            "{} <news@letters.example>",
            mailbox_name(&letter.from)
        )),
        language = quoted(&letter.language),
    )
}

/// A display name without what ends one in an address.
fn mailbox_name(name: &str) -> String {
    name.chars()
        .map(|c| {
            if "<>\"".contains(c) || c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// A short next issue for a demo of somebody's own file.
fn next_issue(issue: &Issue) -> String {
    let number = issue
        .meta
        .number
        .map_or_else(String::new, |n| format!("number = {}\n", n + 1));
    format!(
        "+++\ntitle = \"The one after\"\n{number}+++\n\n\
         Good morning, {{{{ name | default(\"reader\") }}}}.\n\n\
         This issue goes to everybody who is subscribed when you send it: those who left after \
         [the last one](https://example.org/letters/{slug}) don't get it, and those who joined since do.\n",
        slug = publish::slug(Path::new(&issue.slug)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_sound_whatever_the_letter_is_called() {
        for title in [
            "Akira 的机器学习新闻— #22",
            "This Week in Rust 600",
            "<\"odd\"> \\ title",
            "22",
            "",
        ] {
            let issue = publish_title(title);
            let letter = Letter::of(&issue);
            let settings = config::of_text(&settings(
                &letter,
                &Ports {
                    web: 8080,
                    smtp: 2525,
                    pages: 8025,
                },
            ));
            assert_eq!(settings.lists[0].name, letter.name);
            assert!(
                !letter.name.ends_with(|c: char| c.is_ascii_digit()),
                "{}",
                letter.name
            );
        }
        assert_eq!(
            Letter::of(&publish_title("Akira 的机器学习新闻— #22")).name,
            "Akira 的机器学习新闻"
        );
    }

    fn publish_title(title: &str) -> Issue {
        let meta = crate::model::issue::Meta {
            title: title.into(),
            ..Default::default()
        };
        Issue {
            meta,
            parts: Vec::new(),
            slug: "x".into(),
        }
    }
}
