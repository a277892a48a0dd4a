//! The demo's course and its words on the terminal: the import, the send, the sum, and what to do next.
//!
//! The demo itself runs in `running`.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::format::count;
use crate::inbox::pages::NextIssue;
use crate::model::issue::{Body, Issue, Part};
use crate::operate::issues;
use crate::operate::queue::{self, When};
use crate::stdio;
use crate::store::issues::IssueRow;

use super::super::ledger::{self, fact};
use super::super::progress::Progress;
use super::super::terminal::Paint;
use super::super::totals::{IssueSummary, zone_of};
use super::super::{Answer, Context, Failure, Outcome, findings, follow, issue_file, render};
use super::running::Demo;

impl Demo {
    /// Imports, sends where nothing was sent yet, and tells what became of it.
    pub(super) async fn show(&self, once: bool, context: &Context) -> Outcome {
        let say = Say {
            quiet: context.json(),
            context,
        };
        let row = match issues::all(&self.store, None).await?.pop() {
            Some(row) => {
                let list = super::super::context::pick(&self.settings.lists, None)?;
                say.head(&headline(&list.name, row.number, &row.title), self)?;
                row
            }
            None => self.publish(context, &say).await?,
        };
        let zone = zone_of(&self.settings.lists, &row);
        let ended = follow::to_its_end(&self.store, row.id, &zone).await?;
        let follow::Ended { row, took } = ended;
        let arrived = arrived(&self.folder.inbox);
        let next = if once { None } else { self.next_issue().await };
        self.tell(&row, took, arrived, next, once, &say)?;
        let whole = follow::answer(&row) == Answer::Done && arrived >= row.totals.planned();
        Ok(if once && !whole {
            Answer::No
        } else {
            Answer::Done
        })
    }

    /// The import, and the issue into the queue.
    async fn publish(&self, context: &Context, say: &Say<'_>) -> Result<IssueRow, Failure> {
        let list = super::super::context::pick(&self.settings.lists, None)?;
        let manuscript = issue_file::read(&self.folder.issue)?;
        let media_base = issue_file::media_base(&self.settings);
        let proof = issue_file::compose(&self.settings, list, manuscript, &media_base)?;
        let meta = &proof.issue.meta;
        say.head(&headline(&list.name, meta.number, &meta.title), self)?;
        let errors = findings::errors_as_warnings(&proof.findings);
        stdio::eprint(findings::listing(&errors, Paint::stderr()));

        let now = context.clock.now();
        let ids = self
            .store
            .ensure_lists(std::slice::from_ref(&list.key), now)
            .await?;
        let list_id = ids[&list.key];
        let report = self.import(&list.key, list_id, now).await?;
        say.fact(
            "subscribers",
            &format!(
                "{} imported, {} rejected",
                count(report.added),
                count(report.rejected)
            ),
        )?;
        let about = format!(
            "{} items, {}",
            items(&proof.issue),
            render::kilobytes(proof.composed.rendered.html_bytes())
        );
        say.fact_about("issue", &self.folder.issue.display().to_string(), &about)?;
        say.fact("relay", &self.smtp)?;
        let plan = queue::plan(&self.store, list, proof, When::Now, now).await?;
        let queued = plan.queue(&self.store, true, now).await?;
        issues::get(&self.store, queued.id)
            .await?
            .ok_or_else(|| Failure::new("the demo's issue is gone"))
    }

    async fn import(
        &self,
        key: &str,
        list: crate::model::ListId,
        now: Timestamp,
    ) -> Result<crate::people::Report, Failure> {
        let failed = |e: crate::people::ImportError| Failure::said(&e.to_string());
        let file = crate::people::open(self.folder.people.clone(), Default::default())
            .await
            .map_err(failed)?;
        let plan = crate::people::Plan {
            file,
            lists: vec![(key.to_owned(), list)],
            default: Some(key.to_owned()),
            only_default: false,
            now,
        };
        let mut progress = Progress::begin();
        let tell = |event| {
            if let crate::people::Event::Written { rows, of } = event {
                progress.show(rows, of);
            }
        };
        crate::people::import(&self.store, plan, tell)
            .await
            .map_err(failed)
    }

    /// The sum, and what can be done next: read, subscribe, send.
    fn tell(
        &self,
        row: &IssueRow,
        took: Duration,
        arrived: u64,
        next: Option<NextIssue>,
        once: bool,
        say: &Say,
    ) -> Result<(), Failure> {
        let rate = row.totals.sent as f64 / took.as_secs_f64().max(0.001);
        if say.quiet {
            let mut line = serde_json::to_value(IssueSummary::of(row)).unwrap_or_default();
            line["rate_per_s"] = json!((rate * 10.0).round() / 10.0);
            line["inbox"] = json!(self.pages);
            line["arrived"] = json!(arrived);
            return say.context.print_json(&line);
        }
        let paint = say.context.paint;
        let mut text = format!("\n{}\n", ledger::sum(&row.totals, Some(took), paint));
        if let Some(reason) = &row.reason {
            let reason = reason.in_zone(&zone_of(&self.settings.lists, row));
            text.push_str(&format!("  {}: {reason}\n", row.state.word()));
        }
        if arrived < row.totals.planned() {
            text.push_str(&format!(
                "  {} of {} arrived in {}.\n",
                count(arrived),
                count(row.totals.planned()),
                self.folder.inbox.display()
            ));
        }
        if once {
            text.push_str(&format!(
                "  The mails are in {}.",
                self.folder.inbox.display()
            ));
        } else {
            text.push_str(&format!(
                "  Read them at {}\n  Subscribe at {}\n",
                paint.address(&self.pages),
                paint.address(&self.sign_up())
            ));
            if let Some(next) = next {
                text.push_str(&format!(
                    "  Send {} with:\n    {}\n",
                    next.title, next.command
                ));
            }
            text.push_str("  ");
            text.push_str(&paint.dim(&format!(
                "Ctrl-C stops the daemon; {} stays.",
                self.folder.shown()
            )));
        }
        say.context.print(text)
    }
}

/// The demo's words on stdout, or nothing where JSON is wanted.
struct Say<'c> {
    quiet: bool,
    context: &'c Context,
}

impl Say<'_> {
    fn head(&self, title: &str, demo: &Demo) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        self.context.print(format!("\n  {title}\n"))?;
        let database = demo.settings.database.display().to_string();
        if demo.is_new {
            self.fact_about("database", &database, "new")
        } else {
            self.fact_about("database", &database, "opened again; nothing is sent twice")
        }
    }

    fn fact(&self, word: &str, value: &str) -> Result<(), Failure> {
        if self.quiet {
            Ok(())
        } else {
            self.context.print(fact(word, value))
        }
    }

    fn fact_about(&self, word: &str, value: &str, aside: &str) -> Result<(), Failure> {
        self.fact(word, &format!("{value}{}", self.context.paint.aside(aside)))
    }
}

/// Such as `Akira's Machine Learning News, No. 22`.
fn headline(list: &str, number: Option<u32>, title: &str) -> String {
    number.map_or_else(|| title.to_owned(), |n| format!("{list}, No. {n}"))
}

fn items(issue: &Issue) -> usize {
    let in_body = |body: &[Body]| body.iter().filter(|b| matches!(b, Body::Item(_))).count();
    issue
        .parts
        .iter()
        .map(|part| {
            if let Part::Section(s) = part {
                in_body(&s.body)
            } else {
                0
            }
        })
        .sum()
}

/// How many mails lie in the Maildir.
fn arrived(inbox: &Path) -> u64 {
    ["new", "cur"]
        .iter()
        .filter_map(|sub| std::fs::read_dir(inbox.join(sub)).ok())
        .map(|dir| dir.count() as u64)
        .sum()
}
