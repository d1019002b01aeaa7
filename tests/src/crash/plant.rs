//! Plants faults in a record that the audit has found correct, to check that the audit reports
//! them.

use std::collections::BTreeMap;

use tocsin_core::Event;

use super::audit::audit;
use super::ledger::{Act, Ledger};
use super::record::{IncidentRecord, Record};

/// One fault: its name, the start of its report, and the function that plants it; false if the
/// record offers no opportunity.
pub(super) type Fault = (&'static str, &'static str, fn(&Ledger, &mut Record) -> bool);

/// Each is planted at the first inspection that offers an opportunity.
pub(super) const FAULTS: [Fault; 4] = [
    ("an answered alert is missing", "missing: alert", lose_alert),
    ("an acknowledgement is missing", "missing: Ack", lose_ack),
    ("a page's delivery is lost", "lost delivery", lose_page),
    ("a timer is lost", "lost timer", lose_timer),
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
    let is_wanted = |it: &(_, u32, u32)| {
        let found = record.incidents.get(&it.0);
        let page = found.and_then(|found| found.incident.paging.pages.get(&it.1));
        page.is_some_and(|page| page.is_wanted_at(it.2))
    };
    let at = record.pages_waiting.iter().position(is_wanted);
    at.is_some_and(|at| {
        record.pages_waiting.remove(at);
        true
    })
}

fn lose_timer(_: &Ledger, record: &mut Record) -> bool {
    record.timers.pop_first().is_some()
}
