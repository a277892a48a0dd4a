//! Which issue somebody means: its number, its slug (the file's name without ending) or its file.

use std::path::Path;

use crate::store::Store;
use crate::store::issues::IssueRow;

use super::{Context, Failure};

/// How many queued issues are named where the one that is meant is not among them.
const NAMED: usize = 5;

/// The one issue that is meant.
///
/// # Errors
/// There is none, or several lists have one.
pub(super) async fn issue(
    context: &Context,
    store: &Store,
    text: &str,
) -> Result<IssueRow, Failure> {
    let list = match &context.common.list {
        Some(key) => Some(known_list(store, key).await?),
        None => None,
    };
    let absolute = std::path::absolute(text).unwrap_or_else(|_| Path::new(text).to_owned());
    let mut found = store.find_issues(list, text, &absolute).await?;
    match (found.pop(), found.last()) {
        (Some(row), None) => Ok(row),
        (Some(row), Some(other)) if row.list != other.list => Err(Failure::new(format!(
            "{} and {} both have an issue {text}",
            row.list, other.list
        ))
        .to_do("Add --list with the one you mean.")),
        (Some(row), Some(other)) => Err(Failure::new(format!(
            "{text} is the number of one issue and the name of another: {} and {}",
            row.slug, other.slug
        ))
        .to_do("Name it by its file.")),
        (None, _) => Err(unknown(store, text).await?),
    }
}

async fn known_list(store: &Store, key: &str) -> Result<crate::model::ListId, Failure> {
    let lists = store.lists().await?;
    lists.get(key).copied().ok_or_else(|| {
        let mut keys: Vec<&str> = lists.keys().map(String::as_str).collect();
        keys.sort_unstable();
        let hint = crate::format::nearest(key, keys.iter().copied());
        let hint = hint.map_or_else(String::new, |near| format!("Did you mean {near}? "));
        Failure::new(format!("there is no list {key}"))
            .to_do(format!("{hint}Known: {}.", keys.join(", ")))
    })
}

async fn unknown(store: &Store, text: &str) -> Result<Failure, Failure> {
    let rows = store.issues().await?;
    let last: Vec<&str> = rows
        .iter()
        .rev()
        .take(NAMED)
        .map(|row| row.slug.as_str())
        .collect();
    let help = if last.is_empty() {
        "Nothing was queued yet; `letterpress send FILE` does.".to_owned()
    } else {
        format!(
            "The last ones are {}; `letterpress deliveries` shows all.",
            last.join(", ")
        )
    };
    Ok(Failure::new(format!("no issue {text} was queued"))
        .at(store.path().display().to_string())
        .to_do(help))
}
