//! Pages that were sent and wait for an answer, in [`kv`].
//!
//! A page is over when it, or everything that it named, no longer needs an answer. That may become
//! known while the page is being sent, or in any order.

use crate::commands::{self, CommandError};
use crate::types::{Actor, Failure, Page, Receipt};
use crate::{kv, log};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How long a sent page is remembered.
const SENT_TTL_MS: u64 = 7 * 24 * 3_600_000;
/// Longer than the delivery of a page can be retried.
const SETTLED_TTL_MS: u64 = 24 * 3_600_000;
/// The last page of the turn before.
const TURN_KEY: &str = "turn";
const KEYS_PER_LIST: u32 = 200;
/// Most pages that are looked through.
const PAGES_MAX: usize = 1_000;
/// Attempts to change a row that other calls change too.
const SWAPS_MAX: usize = 8;

/// A page that is over, and what the plugin remembered of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over<T> {
    /// The page's id.
    pub page: String,
    /// What [`remember`] got.
    pub sent: T,
}

#[derive(Serialize, Deserialize)]
struct Row<T> {
    sent: T,
    /// Ids that still need an answer.
    waits: Vec<String>,
}

/// Whether a page no longer needs to be sent.
///
/// # Errors
/// When the store is unavailable.
pub fn is_over(page: &Page) -> Result<bool, Failure> {
    if is_settled(&page.id)? {
        return Ok(true);
    }
    for id in ids(page) {
        if !is_settled(id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Remembers a page that was sent; returns whether it still needs an answer. What cannot be stored
/// is logged: a page that was sent must not count as failed.
///
/// # Errors
/// When the store is unavailable.
pub fn remember<T: Serialize + DeserializeOwned>(page: &Page, sent: &T) -> Result<bool, Failure> {
    let waits = ids(page).map(Into::into).collect();
    let row = Row { sent, waits };
    let stored = kv::set(&sent_key(&page.id), &row, Some(SENT_TTL_MS));
    if let Err(Failure::Permanent(why)) = &stored {
        log::error(why, &[("page", &page.id)]);
        return Ok(true);
    }
    stored?;
    // What was settled before the row existed left only its mark.
    let mut settled = vec![];
    for id in ids(page).chain([page.id.as_str()]) {
        if is_settled(id)? {
            settled.push(id);
        }
    }
    match settled.is_empty() {
        true => Ok(true),
        false => Ok(strike::<T>(&page.id, &settled)?.is_none()),
    }
}

/// What was remembered of a page that still needs an answer.
///
/// # Errors
/// When the store is unavailable.
pub fn waiting<T: DeserializeOwned>(page: &str) -> Result<Option<T>, Failure> {
    let row = kv::get::<Row<T>>(&sent_key(page))?.map(|it| it.value);
    Ok(row.filter(|it| !it.waits.is_empty()).map(|it| it.sent))
}

/// Notes that a page, or one item of it, no longer needs an answer. Returns the pages that are over
/// with it, again for a repeated call until [`forget`].
///
/// # Errors
/// When the store is unavailable.
pub fn settle<T: Serialize + DeserializeOwned>(id: &str) -> Result<Vec<Over<T>>, Failure> {
    match kv::set(&settled_key(id), &true, Some(SETTLED_TTL_MS)) {
        Err(Failure::Permanent(why)) => log::error(&why, &[("page", id)]),
        marked => drop(marked?),
    }
    let mut over = Vec::new();
    for page in sent_pages()? {
        let found = strike::<T>(&page, &[id])?;
        over.extend(found.map(|sent| Over { page, sent }));
    }
    Ok(over)
}

/// What was remembered of every page that still needs an answer, by the page's id.
///
/// # Errors
/// When the store is unavailable.
pub fn all_waiting<T: DeserializeOwned>() -> Result<Vec<(String, T)>, Failure> {
    let mut found = Vec::new();
    for page in sent_pages()? {
        found.extend(waiting(&page)?.map(|sent| (page, sent)));
    }
    Ok(found)
}

/// Some of the pages that still need an answer, at most `max`, the others the next time: for a job
/// that asks a service about each of them and may send only so many requests.
///
/// # Errors
/// When the store is unavailable.
pub fn take_turn<T: DeserializeOwned>(max: usize) -> Result<Vec<(String, T)>, Failure> {
    let mut waiting = all_waiting::<T>()?;
    let after = kv::get::<String>(TURN_KEY)?.map(|it| it.value);
    let after = after.unwrap_or_default();
    let begin = waiting.iter().position(|(page, _)| *page > after);
    waiting.rotate_left(begin.unwrap_or(0));
    waiting.truncate(max);
    if let Some((last, _)) = waiting.last() {
        kv::set(TURN_KEY, last, Some(SENT_TTL_MS))?;
    }
    Ok(waiting)
}

/// Gives a command once for each `key`: a service that is asked again and again says the same each
/// time. What the engine refuses, for example because the page is over, is logged.
///
/// # Errors
/// When the engine is unavailable or the operator does not allow the command: try again.
pub fn once<T>(
    key: &str,
    command: impl FnOnce() -> Result<T, CommandError>,
) -> Result<Option<T>, Failure> {
    let key = format!("once:{key}");
    if kv::get::<bool>(&key)?.is_some() {
        return Ok(None);
    }
    let done = match command() {
        Ok(done) => Some(done),
        Err(error @ (CommandError::NotFound | CommandError::Invalid(_))) => {
            log::warn("a command was refused", &[("why", &format!("{error:?}"))]);
            None
        }
        Err(error) => return Err(error.into()),
    };
    kv::set(&key, &true, Some(SENT_TTL_MS))?;
    Ok(done)
}

/// Reports what became known of a page, once. A report that fails is logged, and made again the
/// next time: it must not keep anything from being acknowledged.
pub fn report(page: &str, receipt: Receipt, by: Option<&Actor>) {
    let what = match receipt {
        Receipt::Seen => "seen",
        Receipt::Pressed => "pressed",
    };
    let reported = once(&format!("{what}:{page}"), || {
        commands::receipt(page, receipt, by)
    });
    if let Err(error) = reported {
        let why = format!("{error:?}");
        log::warn(
            "a receipt was not reported",
            &[("page", page), ("why", &why)],
        );
    }
}

/// Forgets a page that is over.
///
/// # Errors
/// When the store is unavailable.
pub fn forget(page: &str) -> Result<(), Failure> {
    kv::delete(&sent_key(page)).map(drop)
}

/// Strikes ids off what a page waits for. Returns what was remembered if the page is over with it,
/// or was over already because of one of them.
fn strike<T: Serialize + DeserializeOwned>(page: &str, ids: &[&str]) -> Result<Option<T>, Failure> {
    for _ in 0..SWAPS_MAX {
        let Some(kv::Versioned {
            value: mut row,
            revision,
        }) = kv::get::<Row<T>>(&sent_key(page))?
        else {
            return Ok(None);
        };
        let before = row.waits.len();
        if ids.contains(&page) {
            row.waits.clear();
        }
        row.waits.retain(|it| !ids.contains(&it.as_str()));
        if row.waits.len() == before {
            return Ok(row.waits.is_empty().then_some(row.sent));
        }
        let swapped = kv::swap(&sent_key(page), Some(revision), &row, Some(SENT_TTL_MS))?;
        if swapped.is_some() {
            return Ok(row.waits.is_empty().then_some(row.sent));
        }
    }
    Err(Failure::retry("other calls keep changing the same page"))
}

/// The ids of the pages that were sent and are not forgotten.
fn sent_pages() -> Result<Vec<String>, Failure> {
    let prefix = sent_key("");
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX.div_ceil(KEYS_PER_LIST as usize) {
        let listed = kv::keys(&prefix, cursor.as_deref(), KEYS_PER_LIST)?;
        let names = listed.keys.iter().filter_map(|it| it.strip_prefix(&prefix));
        pages.extend(names.map(Into::into));
        cursor = listed.cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(pages)
}

/// The ids of everything that a page names; its own, if it names nothing.
fn ids(page: &Page) -> impl Iterator<Item = &str> {
    let items = page.items.iter().map(|it| it.id.as_str());
    let others = page.others.iter().map(|it| it.id.as_str());
    let is_bare = page.items.is_empty() && page.others.is_empty();
    let own = is_bare.then_some(page.id.as_str());
    items.chain(others).chain(own)
}

fn is_settled(id: &str) -> Result<bool, Failure> {
    Ok(kv::get::<bool>(&settled_key(id))?.is_some())
}

fn sent_key(page: &str) -> String {
    format!("sent:{page}")
}

fn settled_key(id: &str) -> String {
    format!("settled:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHost, bundle, incident, page, person};

    fn install() -> FakeHost {
        FakeHost::install(|_| panic!("no requests"))
    }

    fn two() -> Page {
        bundle(
            "b",
            &[incident(), incident()],
            &person("ada", "ntfy", "ada"),
        )
    }

    fn over(id: &str) -> Vec<String> {
        let over = settle::<String>(id).unwrap().into_iter();
        over.map(|it| format!("{} {}", it.page, it.sent)).collect()
    }

    #[test]
    fn a_page_about_one_incident_is_over_with_it_until_it_is_forgotten() {
        let _host = install();
        let page = page("p-1", &incident(), &person("ada", "ntfy", "ada"));
        assert!(!is_over(&page).unwrap());
        assert!(remember(&page, &"receipt".to_string()).unwrap());
        assert_eq!(
            waiting::<String>("p-1").unwrap().as_deref(),
            Some("receipt")
        );
        assert_eq!(over("p-2"), [""; 0]);
        for _ in 0..2 {
            assert_eq!(over("p-1"), ["p-1 receipt"]);
        }
        assert_eq!(waiting::<String>("p-1").unwrap(), None);
        forget("p-1").unwrap();
        assert_eq!(over("p-1"), [""; 0]);
        assert!(is_over(&page).unwrap());
    }

    #[test]
    fn a_page_about_two_incidents_is_over_with_both_or_as_a_whole() {
        let _host = install();
        remember(&two(), &"r".to_string()).unwrap();
        assert_eq!(over("b/1"), [""; 0]);
        assert!(!is_over(&two()).unwrap());
        assert_eq!(all_waiting::<String>().unwrap(), [("b".into(), "r".into())]);
        assert_eq!(over("b/2"), ["b r"]);
        assert!(is_over(&two()).unwrap());
        assert_eq!(all_waiting::<String>().unwrap(), []);

        let _host = install();
        remember(&two(), &"r".to_string()).unwrap();
        assert_eq!(over("b"), ["b r"]);
    }

    #[test]
    fn a_page_that_names_nothing_needs_an_answer_too() {
        let _host = install();
        let mut test = two();
        test.items.clear();
        assert!(!is_over(&test).unwrap());
        assert!(remember(&test, &"r".to_string()).unwrap());
        assert_eq!(waiting::<String>("b").unwrap().as_deref(), Some("r"));
        assert_eq!(over("b"), ["b r"]);
        assert!(is_over(&test).unwrap());
    }

    #[test]
    fn what_was_settled_while_the_page_was_sent_counts() {
        let _host = install();
        over("b/2");
        assert!(remember(&two(), &"r".to_string()).unwrap());
        assert_eq!(over("b/1"), ["b r"]);

        let _host = install();
        over("b");
        assert!(!remember(&two(), &"r".to_string()).unwrap());
        assert_eq!(over("b"), ["b r"]);
    }

    #[test]
    fn more_pages_than_fit_have_their_turns() {
        let _host = install();
        let ada = person("ada", "ntfy", "ada");
        for at in 0..5 {
            remember(&page(&format!("p{at}"), &incident(), &ada), &at).unwrap();
        }
        let turn = || {
            take_turn::<u32>(2)
                .unwrap()
                .into_iter()
                .map(|it| it.1)
                .collect::<Vec<_>>()
        };
        assert_eq!([turn(), turn(), turn()], [[0, 1], [2, 3], [4, 0]]);
    }

    #[test]
    fn a_command_is_given_once_and_one_that_cannot_be_given_is_tried_again() {
        let host = install();
        for error in [
            CommandError::Unavailable("down".into()),
            CommandError::Conflict(7),
            CommandError::Other("?".into()),
        ] {
            let failed = once("a", || Err::<(), _>(error));
            assert!(matches!(failed, Err(Failure::Retry(_))), "{failed:?}");
        }
        assert_eq!(once("a", || Ok(1)), Ok(Some(1)));
        assert_eq!(once("a", || Ok(2)), Ok(None));
        assert_eq!(once("b", || Err::<(), _>(CommandError::NotFound)), Ok(None));
        assert_eq!(host.logs().len(), 1);
        assert_eq!(once("b", || Ok(3)), Ok(None));
    }

    #[test]
    fn a_receipt_that_cannot_be_reported_is_reported_later_and_then_no_more() {
        let host = install();
        host.answer_commands(Err(CommandError::Unavailable("down".into())));
        report("p", Receipt::Seen, None);
        assert_eq!(host.logs().len(), 1);
        host.answer_commands(Ok(String::new()));
        for _ in 0..2 {
            report("p", Receipt::Seen, None);
        }
        assert_eq!(host.commands().len(), 2);
    }
}
