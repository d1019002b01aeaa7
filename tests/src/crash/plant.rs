//! Plants faults in a record that the audit has found correct, to check that the audit reports
//! them.

use std::collections::BTreeMap;

use tocsin_core::pager::PageAttempt;
use tocsin_core::{Event, MessageId};
use tocsin_store::TimerKey;

use super::audit::audit;
use super::ledger::{Act, Ledger};
use super::record::{IncidentRecord, Record};

/// One fault: its name, the start of its report, and the function that plants it; false if the
/// record offers no opportunity.
pub(super) type Fault = (&'static str, &'static str, fn(&Ledger, &mut Record) -> bool);

/// Each is planted at the first inspection that offers an opportunity.
pub(super) const FAULTS: [Fault; 6] = [
    ("an answered alert is missing", "missing: alert", lose_alert),
    ("an acknowledgement is missing", "missing: Ack", lose_ack),
    ("a page's delivery is lost", "lost delivery", lose_page),
    ("a timer is lost", "lost timer", lose_timer),
    ("the end of a hold is lost", "lost timer", lose_hold),
    ("an override is missing", "missing: override", lose_override),
];

/// Plants faults that were not planted before, and records whether the audit reports them.
pub(super) fn plant(ledger: &Ledger, record: &Record, noted: &mut BTreeMap<&'static str, bool>) {
    for (what, says, lose) in FAULTS {
        if noted.contains_key(what) {
            continue;
        }
        let mut doctored = record.clone();
        if lose(ledger, &mut doctored) {
            let faults = audit(ledger, &doctored);
            noted.insert(what, faults.iter().any(|it| it.starts_with(says)));
        }
    }
}

fn lose_alert(ledger: &Ledger, record: &mut Record) -> bool {
    let mut answered = ledger.alerts.iter().filter(|it| it.1.answered.is_some());
    let answered = answered.next_back().map(|it| it.0);
    answered.is_some_and(|it| record.alerts.remove(it).is_some())
}

fn lose_ack(ledger: &Ledger, record: &mut Record) -> bool {
    let is_ack = |act: &Act, answered: bool| *act == Act::Ack && answered;
    let mut answered = ledger
        .acts
        .iter()
        .filter(|it| is_ack(&it.0.1, it.1.answered));
    let service = answered.next().map(|it| it.0.0.as_str());
    let Some(found) = service.and_then(|it| record.of_service(it)) else {
        return false;
    };
    let mut found: IncidentRecord = found.clone();
    let is_ack = |event: &Event| matches!(event, Event::Acknowledged { .. });
    found.events.retain(|it| !is_ack(&it.event));
    record.incidents.insert(found.incident.id.clone(), found);
    true
}

fn lose_page(_: &Ledger, record: &mut Record) -> bool {
    let is_wanted = |it: &PageAttempt| {
        let found = record.incidents.get(&it.incident);
        let found = found.filter(|it| it.incident.is_active());
        let page = found.and_then(|found| found.incident.paging.pages.get(&it.page));
        page.is_some_and(|page| page.is_wanted_at(it.contact)) && !record.is_being_told(it)
    };
    if let Some(at) = record.pages_queued.iter().position(is_wanted) {
        record.pages_queued.remove(at);
        return true;
    }
    let is_of = |it: &&MessageId| {
        let pages = record.messages.get(it);
        pages.is_some_and(|pages| pages.iter().any(is_wanted))
    };
    let message = record.messages_waiting.iter().find(is_of).cloned();
    message.is_some_and(|it| record.messages_waiting.remove(&it))
}

fn lose_timer(_: &Ledger, record: &mut Record) -> bool {
    record.timers.pop_first().is_some()
}

fn lose_hold(_: &Ledger, record: &mut Record) -> bool {
    let holds = |it: &&TimerKey| it.id.ends_with("/hold");
    let found = record.timers.iter().find(holds).cloned();
    found.is_some_and(|it| record.timers.remove(&it))
}

fn lose_override(ledger: &Ledger, record: &mut Record) -> bool {
    let mut answered = ledger.overrides.iter().filter(|it| it.1.once.answered);
    let Some((reason, _)) = answered.next_back() else {
        return false;
    };
    let before = record.overrides.len();
    record.overrides.retain(|it| it.reason != *reason);
    record.overrides.len() < before
}
