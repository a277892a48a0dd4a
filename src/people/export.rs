//! From the store to a file: a row a person and list, with state, as an import takes it.

use std::io::Write;

use super::header::COLUMNS;
use super::spreadsheet::harmless;
use crate::model::subscriber::Subscriber;
use crate::model::{ListId, SubscriberId};
use crate::store::{Store, StoreError};

/// How many people are read at once.
const PAGE: u32 = 500;

/// Why an export did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    /// The database can't be read.
    Store(#[from] StoreError),
    /// The rows could not be written where they go.
    #[error("{0}")]
    Output(#[from] std::io::Error),
}

/// Writes everybody, or everybody of one list (its key and row), and gives the number of rows. `tell` is told
/// now and then how many people are written.
///
/// People who come while it runs may be in it or not.
///
/// # Errors
/// [`ExportError`]; what was written until then is whole rows.
pub async fn export(
    store: &Store,
    list: Option<(&str, ListId)>,
    out: impl Write,
    mut tell: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(COLUMNS).map_err(plain)?;
    let (mut after, mut rows, mut people) = (SubscriberId(0), 0, 0);
    loop {
        let page = store
            .subscribers(list.map(|(_, id)| id), after, PAGE)
            .await?;
        for person in &page {
            rows += write(&mut out, person, list.map(|(key, _)| key))?;
        }
        out.flush()?;
        people += page.len() as u64;
        tell(people);
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = last.id,
            _ => return Ok(rows),
        }
    }
}

fn write(
    out: &mut csv::Writer<impl Write>,
    person: &Subscriber,
    only: Option<&str>,
) -> Result<u64, ExportError> {
    let (tags, joined_at) = (person.tags.join(","), person.joined_at.to_string());
    let mut rows = 0;
    for place in person
        .subscriptions
        .iter()
        .filter(|place| only.is_none_or(|key| key == place.list))
    {
        let state = place.state.word();
        let row = [
            person.email.as_str(),
            &person.name,
            &place.list,
            state,
            &tags,
            &joined_at,
        ];
        out.write_record(row.map(|cell| harmless(cell).into_owned()))
            .map_err(plain)?;
        rows += 1;
    }
    Ok(rows)
}

/// The writer has no other errors than those of what it writes to.
fn plain(error: csv::Error) -> ExportError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ExportError::Output(error),
        _ => ExportError::Output(std::io::Error::other(text)),
    }
}
