//! `render`: an issue as MJML, HTML, text and mail, with its pictures beside the HTML.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::link::{Links, PersonalLinks};
use crate::mail::{Recipient, Stream, Template};
use crate::model::rendered::{Context as Escape, MergeField, Piece};
use crate::model::{Address, List, ListId, SubscriberId};
use crate::phrases::Phrases;
use crate::publish::Proof;
use crate::stdio;

use super::ledger::fact;
use super::{Context, Failure, Outcome, findings, issue_file};

/// Who reads a rendered issue: personal fields without a default show them.
const READER: &str = "reader@example.org";

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress render issues/022.md --out out")]
pub(super) struct Args {
    /// The issue's Markdown file
    file: PathBuf,
    /// The folder to write to; created if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings_or_defaults()?;
    let manuscript = issue_file::read(&args.file)?;
    let list = issue_file::list_or_default(context, &settings, &manuscript)?;
    // Pictures lie beside the HTML, so their addresses begin with nothing.
    let proof = issue_file::compose(&settings, list, manuscript, "")?;
    let errors = findings::errors_as_warnings(&proof.findings);
    stdio::eprint(findings::listing(&errors, super::terminal::Paint::stderr()));

    super::init::make_folder(&args.out)?;
    let public_url = settings
        .public_url
        .as_deref()
        .unwrap_or("https://letters.example.org");
    let today = context.clock.now().to_zoned(list.zone.clone()).date();
    let since = Phrases::of(&proof.composed.rendered.language).date(today);
    let preview = Preview {
        links: Links::preview(public_url),
        list,
        since,
    };
    let written = write_all(&args.out, &proof, &preview, context)?;
    let lines: Vec<String> = written
        .iter()
        .map(|(kind, path, size)| {
            fact(
                kind,
                &format!("{}{}", path.display(), context.paint.aside(size)),
            )
        })
        .collect();
    let files: Vec<_> = written.iter().map(|(_, path, _)| path).collect();
    context.done(lines.join("\n"), &json!({"files": files}))
}

/// What stands in the place of one person's values.
struct Preview<'a> {
    links: Links,
    list: &'a List,
    /// The day since when the reader is subscribed.
    since: String,
}

impl Preview<'_> {
    /// The reader's links, which show a page and change nothing.
    fn personal(&self) -> PersonalLinks<'_> {
        self.links.of(ListId(0), SubscriberId(0))
    }

    /// The text of some pieces, as a reader without a name gets it.
    fn fill(&self, pieces: &[Piece]) -> String {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field { field, context } => {
                    let value = match field {
                        MergeField::Name { default } => default.clone(),
                        MergeField::Email => READER.to_owned(),
                        MergeField::SubscribedSince => self.since.clone(),
                        MergeField::Link(purpose) => self.personal().url(*purpose),
                    };
                    match context {
                        Escape::Html => out.push_str(&escape(&value)),
                        Escape::Text => out.push_str(&value),
                    }
                }
            }
        }
        out
    }

    /// The whole mail.
    fn mail(&self, proof: &Proof, context: &Context) -> Vec<u8> {
        let stream = Stream::Issue {
            seed: &proof.issue.slug,
        };
        let template = Template::new(&proof.composed.rendered, self.list, stream);
        let reader = Address::trusted(READER.to_owned());
        let to = Recipient {
            subscriber: SubscriberId(0),
            email: &reader,
            name: "",
            since: context.clock.now(),
            links: self.personal(),
        };
        let mut bytes = Vec::new();
        template.write(&to, context.clock.now(), &mut bytes);
        bytes
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

type Written = (&'static str, PathBuf, String);

fn write_all(
    out: &Path,
    proof: &Proof,
    preview: &Preview,
    context: &Context,
) -> Result<Vec<Written>, Failure> {
    let rendered = &proof.composed.rendered;
    let files = [
        (
            "mjml",
            "issue.mjml",
            preview.fill(&proof.composed.mjml).into_bytes(),
        ),
        (
            "html",
            "issue.html",
            preview.fill(&rendered.html).into_bytes(),
        ),
        (
            "text",
            "issue.txt",
            preview.fill(&rendered.text).into_bytes(),
        ),
        ("mail", "issue.eml", preview.mail(proof, context)),
    ];
    let mut written = Vec::new();
    for (kind, name, bytes) in files {
        let path = out.join(name);
        write(&path, &bytes)?;
        written.push((kind, path, kilobytes(bytes.len())));
    }
    for picture in proof.pictures.iter() {
        let path = out.join(format!("{}.{}", picture.hash, picture.ext));
        write(&path, &picture.bytes)?;
        written.push(("picture", path, kilobytes(picture.bytes.len())));
    }
    Ok(written)
}

/// A size as Gmail counts it: 1024 bytes a KB, rounded up.
pub(super) fn kilobytes(bytes: usize) -> String {
    format!("{} KB", crate::format::count(bytes.div_ceil(1024) as u64))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|e| {
        Failure::new(format!(
            "the file can't be written: {}",
            crate::format::io(&e)
        ))
        .at(path.display().to_string())
        .help(super::init::remedy(
            &e,
            "Choose a folder that you can write to.",
        ))
    })
}
