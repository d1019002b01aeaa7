//! `/api/v1/alerts/{integration}/{fingerprint}/history`: how an alert changed.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use tocsin_core::alert::Place;
use tocsin_core::command::Refusal;
use tocsin_core::intake::{HistoryEntry, HistoryKind};
use tocsin_core::{Alert, Fingerprint, IncidentId, IntegrationId, Timestamp};
use utoipa_axum::routes;

use super::alerts::{Home, incident_of};
use crate::api::{AlertChange, AlertHistory, AlertPlace, HistoryQuery};
use crate::app::App;
use crate::disclosure::Clearance;
use crate::http::Routes;
use crate::http::blocking;
use crate::http::guard::Reader;
use crate::http::path::Path;
use crate::http::problem::{Kind, Problem};
use crate::runtime::EngineError;
use crate::runtime::history::{HistoryOf, HistoryReader, newest};
use crate::runtime::state::tables::alert::ALERTS;
use crate::time::format_time;

/// Default page size.
const CHANGES_USUAL: usize = 100;
/// Largest page size.
const CHANGES_MAX: usize = 1_000;
/// Most reads of the history to find a change for a page.
const READS_MAX: usize = 8;
/// Most blocks of the history that are read to find out whether a page begins with changes that
/// belong to a hidden incident.
const BLOCKS_AHEAD_MAX: u64 = 1_024;

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(history))
}

/// Shows how an alert changed and where it went, the newest change first. Repeats that said nothing
/// new are not changes.
#[utoipa::path(
    get, path = "/api/v1/alerts/{integration}/{fingerprint}/history", tag = "incidents",
    security(("token" = ["read"])),
    params(
        ("integration" = String, Path, description = "The alert's integration"),
        ("fingerprint" = String, Path, description = "The alert's fingerprint"),
        HistoryQuery,
    ),
    responses(
        (status = 200, description = "The changes", body = AlertHistory),
        (status = 404, description = "There was no such alert, or it needs clearance"),
    )
)]
async fn history(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    Path((integration, fingerprint)): Path<(IntegrationId, Fingerprint)>,
    query: Result<Query<HistoryQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<AlertHistory>, Problem> {
    let Query(query) = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let limit = query.limit.unwrap_or(CHANGES_USUAL).clamp(1, CHANGES_MAX);
    let before = query.before.map(Timestamp);
    let page = blocking(move || {
        let of = HistoryOf::alert(&integration, &fingerprint);
        let seen = Seen::new(&app, holder.caller.clearance);
        let key = Alert::row_key(&integration, &fingerprint);
        page(&app, (&key, &of), seen, before, limit)
    });
    Ok(axum::Json(page.await?))
}

fn page(
    app: &App,
    (key, of): (&str, &HistoryOf),
    mut seen: Seen<'_>,
    before: Option<Timestamp>,
    limit: usize,
) -> Result<AlertHistory, Problem> {
    let unseen = || Problem::from(EngineError::from(Refusal::Unseen));
    let store = app.store.as_ref();
    let row = ALERTS.get(store, key)?;
    if let Some(id) = row.and_then(|it| it.value.incident().cloned())
        && seen.is_hidden(&id)?
    {
        return Err(unseen());
    }
    if let Some(before) = before {
        seen.look_ahead(HistoryReader::between(
            store,
            Some(of.clone()),
            before,
            Timestamp(i64::MAX),
        )?)?;
    }
    let mut end = Some(before.unwrap_or(Timestamp(i64::MAX)));
    let mut changes = Vec::new();
    for _ in 0..READS_MAX {
        let Some(until) = end.filter(|_| changes.is_empty()) else {
            break;
        };
        let page = newest(store, of, until, limit)?;
        end = page.before;
        for entry in page.entries {
            let at = entry.at;
            changes.extend(seen.change(entry)?);
            if changes.len() == limit {
                end = Some(at);
                break;
            }
        }
    }
    if changes.is_empty() && before.is_none() {
        return Err(unseen());
    }
    Ok(AlertHistory {
        changes,
        next_before: end.map(|it| it.0),
    })
}

/// What a caller may see of an alert's changes, which are shown the newest first.
struct Seen<'a> {
    app: &'a App,
    clearance: Clearance,
    incidents: HashMap<IncidentId, Home>,
    /// The alert entered an incident that the caller may not see, and began to fire before: what
    /// was said then is not shown either, although it was in no incident yet.
    hides: bool,
}

impl<'a> Seen<'a> {
    fn new(app: &'a App, clearance: Clearance) -> Self {
        Self {
            app,
            clearance,
            incidents: HashMap::new(),
            hides: false,
        }
    }

    fn home(&mut self, id: &IncidentId) -> Result<&Home, EngineError> {
        if !self.incidents.contains_key(id) {
            let home = incident_of(self.app, id)?;
            self.incidents.insert(id.clone(), home);
        }
        let missing = || EngineError::Damaged(format!("incident {id}"));
        self.incidents.get(id).ok_or_else(missing)
    }

    fn is_hidden(&mut self, id: &IncidentId) -> Result<bool, EngineError> {
        let clearance = self.clearance;
        Ok(!clearance.may_see(self.home(id)?.security))
    }

    /// Looks at what follows a page, until the alert begins to fire again. If that is too far, what
    /// begins the page is not shown.
    fn look_ahead(&mut self, later: HistoryReader<'_>) -> Result<(), EngineError> {
        if self.clearance.may_see(true) {
            return Ok(());
        }
        let mut later = later.limited(BLOCKS_AHEAD_MAX);
        for entry in later.by_ref() {
            let entry = entry?;
            if entry.kind == HistoryKind::Began {
                return Ok(());
            }
            if let Place::Incident { id } = &entry.place {
                self.hides |= self.is_hidden(id)?;
            }
        }
        self.hides |= later.is_cut();
        Ok(())
    }

    fn change(&mut self, entry: HistoryEntry) -> Result<Option<AlertChange>, EngineError> {
        let mut incident = None;
        if let Place::Incident { id } = &entry.place {
            self.hides |= self.is_hidden(id)?;
            incident = Some(self.home(id)?.number);
        }
        let hides = self.hides;
        if entry.kind == HistoryKind::Began {
            self.hides = false;
        }
        let change = AlertChange {
            at: format_time(entry.at),
            change: entry.kind,
            firing: entry.firing,
            title: entry.title,
            summary: entry.summary,
            labels: entry.labels,
            annotations: entry.annotations,
            link: entry.link,
            starts_at: format_time(entry.starts_at),
            place: AlertPlace::of(&entry.place),
            incident,
            ignored_because: match entry.place {
                Place::Ignored { reason, .. } => Some(reason),
                _ => None,
            },
        };
        Ok(Some(change).filter(|_| !hides))
    }
}
