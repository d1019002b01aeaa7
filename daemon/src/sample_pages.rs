//! Pages and questions as people see them, for tests that compare every form of them with
//! committed files.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tocsin_core::alert::Counts;
use tocsin_core::incident::Incident;
use tocsin_core::trial::{ShiftNotice, TestPage};
use tocsin_core::{
    Actor, ChangeBrief, Contact, Event, Person, PersonId, Question, Recorded, TestId, Timestamp,
};

use crate::disclosure::Clearance;
use crate::disclosure::page::{PageContent, PageReader, PagedIncident};
use crate::time::parse_time;

/// Set to write the files instead of comparing them.
const BLESS: &str = "TOCSIN_BLESS";

/// A page to ada, or a question.
pub(crate) struct SamplePage {
    /// The file's name without its ending.
    pub(crate) name: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) content: PageContent,
}

/// Compares a text with the committed file `tests/pages/NAME`.
pub(crate) fn matches_file(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pages")
        .join(name);
    if std::env::var_os(BLESS).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let remedy = format!("run this test with {BLESS}=1, read {name} and commit it");
    assert!(text == committed, "{remedy}; it is now:\n{text}");
}

pub(crate) fn people() -> BTreeMap<PersonId, Person> {
    let person = |(id, name): (&str, &str)| Person {
        id: id.into(),
        name: name.to_owned(),
        contacts: vec![Contact {
            kind: "slack".to_owned(),
            address: format!("U0{}", id.to_uppercase()),
        }],
        ladders: tocsin_core::Ladders::default(),
        teams: Vec::new(),
        clearance: id == "ada",
    };
    let all = [
        ("ada", "Ada Lovelace"),
        ("bob", "Bob <b>& Sons</b>"),
        ("cleo", "Cleo"),
    ];
    all.into_iter()
        .map(person)
        .map(|it| (it.id.clone(), it))
        .collect()
}

/// Every case that differs for the person who is paged.
pub(crate) fn sample_pages() -> Vec<SamplePage> {
    vec![
        page(
            "critical",
            "Europe/Berlin",
            Clearance::Basic,
            &[everything()],
        ),
        page("minor", "UTC", Clearance::Basic, &[little()]),
        page("redacted", "Europe/Berlin", Clearance::Basic, &[secret()]),
        page("cleared", "Europe/Berlin", Clearance::Security, &[secret()]),
        page("bundle-3", "Europe/Berlin", Clearance::Basic, &bundle(3)),
        page(
            "bundle-300",
            "Europe/Berlin",
            Clearance::Basic,
            &bundle(300),
        ),
        page(
            "midnight",
            "Asia/Kolkata",
            Clearance::Basic,
            &[everything()],
        ),
        page("drill", "Europe/Berlin", Clearance::Basic, &[drill()]),
        page("handover", "Europe/Berlin", Clearance::Basic, &[handover()]),
        page("hostile", "Europe/Berlin", Clearance::Basic, &[hostile()]),
        about_nothing("test", None),
        about_nothing("reminder", Some(shift())),
        about_nothing("shift", Some(shift_with_open())),
    ]
}

/// A question about one incident and about many.
pub(crate) fn sample_questions() -> Vec<SamplePage> {
    let all = [
        ("question", vec![asked(everything())]),
        ("question-300", bundle(300).into_iter().map(asked).collect()),
    ];
    let question = Some(Question::StillOnIt);
    let all = all.map(|(name, samples)| {
        let content = content("Europe/Berlin", Clearance::Basic, &samples, question);
        let link = |choice: &str| format!("https://tocsin.example/ack/{choice}");
        SamplePage {
            name,
            zone: "Europe/Berlin",
            content: content.with_answer_links(link),
        }
    });
    all.into()
}

/// The incident once ada has acknowledged it and is asked whether she is still on it.
fn asked(mut it: Sample) -> Sample {
    let acknowledged = json!({ "type": "acknowledged", "data": { "via": "slack" } });
    let operator = json!({ "type": "operator-assigned", "data": { "person": "ada" } });
    let prompted = Event::Prompted {
        prompt: 1,
        to: "ada".into(),
        contact: people()["ada"].contacts[0].clone(),
        then: Vec::new(),
        question: Question::StillOnIt,
        expires_at: at("2026-01-02T20:20:00Z"),
        next_contact_at: None,
    };
    let before = [acknowledged, operator].map(|it| serde_json::from_value(it).unwrap());
    for event in before.into_iter().chain([prompted]) {
        it.incident = it.incident.fold(&recorded("2026-01-02T20:09:50Z", event));
    }
    it
}

/// 2026-01-02 21:10 in Berlin, 01:40 of the next day in Kolkata.
pub(crate) fn now() -> Timestamp {
    at("2026-01-02T20:10:00Z")
}

fn shift() -> ShiftNotice {
    ShiftNotice {
        rotation: "payments".to_owned(),
        from: at("2026-01-03T20:00:00Z"),
        warnings: vec![
            "no contact that would wake them is proven; run `tocsin page test ada` and press the \
             button that arrives"
                .to_owned(),
        ],
        open: None,
    }
}

/// A shift that begins in a quarter of an hour, with more open than a message names.
fn shift_with_open() -> ShiftNotice {
    ShiftNotice {
        from: at("2026-01-02T20:25:00Z"),
        warnings: Vec::new(),
        open: Some(Vec::new()),
        ..shift()
    }
}

/// A test that bob asked for, or a reminder of a shift.
fn about_nothing(name: &'static str, shift: Option<ShiftNotice>) -> SamplePage {
    let people = people();
    let zone = "Europe/Berlin";
    let reader = PageReader {
        person: &"ada".into(),
        zone: zone.parse().unwrap(),
        clearance: Clearance::Basic,
        plugin: None,
        people: &people,
        now: now(),
    };
    let contact = people["ada"].contacts[0].clone();
    let test = TestPage {
        shift,
        ..TestPage::new(contact, Actor::Person("bob".into()), now())
    };
    let id = TestId::parse("test-1767384600000-ada").unwrap();
    let link = "https://tocsin.example/ack/ALL".to_owned();
    let open = [asked(everything()), secret(), little()].into_iter();
    let mut open: Vec<_> = open.chain(bundle(7)).map(|it| it.incident).collect();
    open.sort_by_key(|it| (Reverse(it.grading.grade), it.lifecycle.opened_at, it.number));
    let content = PageContent::of_test(&id, &test, &open.iter().collect::<Vec<_>>(), &reader);
    let content = match test.shift {
        Some(_) => content,
        None => content.with_ack_links(link.clone(), |_| link.clone()),
    };
    SamplePage {
        name,
        zone,
        content,
    }
}

struct Sample {
    incident: Incident,
    counts: Counts,
}

fn at(text: &str) -> Timestamp {
    parse_time(text).unwrap().unwrap()
}

fn page(
    name: &'static str,
    zone: &'static str,
    clearance: Clearance,
    samples: &[Sample],
) -> SamplePage {
    let content = content(zone, clearance, samples, None);
    let all = "https://tocsin.example/ack/ALL".to_owned();
    let content = content.with_ack_links(all, |id| format!("https://tocsin.example/ack/{id}"));
    SamplePage {
        name,
        zone,
        content,
    }
}

fn content(
    zone: &str,
    clearance: Clearance,
    samples: &[Sample],
    question: Option<Question>,
) -> PageContent {
    let people = people();
    let reader = PageReader {
        person: &"ada".into(),
        zone: zone.parse().unwrap(),
        clearance,
        plugin: None,
        people: &people,
        now: now(),
    };
    let latest = |it: &Sample| {
        let pages = it.incident.paging.pages.iter();
        let mut own = pages.filter(|(_, page)| page.person.as_str() == "ada");
        own.next_back().map_or(1, |(number, _)| *number)
    };
    let paged = samples.iter().map(|it| PagedIncident {
        incident: &it.incident,
        page: if question.is_some() { 1 } else { latest(it) },
        question,
        counts: it.counts,
    });
    PageContent::of(&paged.collect::<Vec<_>>(), &reader)
}

/// An incident that was opened with these fields and has paged ada.
fn sample(opened_at: &str, fields: Value) -> Sample {
    let mut opened = json!({
        "number": 42, "key": "k", "title": "error rate 40 %", "service": "checkout",
        "grade": "critical", "grade_reason": "", "plan": { "steps": [] }, "plan_reason": "",
    });
    for (name, value) in fields.as_object().unwrap() {
        opened[name] = value.clone();
    }
    let id = format!("i{}", opened["number"]).as_str().into();
    let opened = json!({ "type": "opened", "data": opened });
    let events = [
        recorded(opened_at, serde_json::from_value(opened).unwrap()),
        recorded(opened_at, paged(1, "ada", 0)),
    ];
    Sample {
        incident: Incident::replay(&id, &events).unwrap(),
        counts: Counts {
            total: 5,
            firing: 3,
        },
    }
}

fn recorded(time: &str, event: Event) -> Recorded {
    let (at, by) = (at(time), Actor::Tocsin);
    Recorded { at, by, event }
}

fn changed(time: &str, title: &str, link: &str) -> Recorded {
    let change = ChangeBrief {
        id: "981".into(),
        at: at(time),
        title: title.to_owned(),
        link: Some(link.to_owned()),
    };
    let event = Event::ChangeSuspected {
        number: 1,
        change,
        more: 0,
    };
    recorded(time, event)
}

fn paged(page: u32, person: &str, step: u32) -> Event {
    Event::Paged {
        page,
        person: person.into(),
        contacts: people()[person].contacts.clone(),
        rungs: Vec::new(),
        step,
        next_contact_at: None,
        by_name: false,
    }
}

fn everything() -> Sample {
    let opened_at = "2026-01-02T18:20:00Z";
    let step = |who: &str| json!({ "page": [who], "wait_ms": 300_000 });
    let mut it = sample(
        opened_at,
        json!({
            "summary": "Customers cannot pay: 40 % of the requests to /pay fail \
                        since the deployment.\n\
                        Most are from the EU.",
            "team": "payments", "grade_reason": "severity is critical and it is the checkout",
            "link": "https://prometheus.example/graph?g0.expr=errors&g0.tab=1",
            "links": [
                { "title": "Runbook", "url": "https://wiki.example/checkout/errors" },
                { "title": "Dashboard", "url": "https://grafana.example/d/abc?var-service=checkout" },
            ],
            "plan": { "steps": [step("person:ada"), step("person:bob"), step("team:payments")] },
        }),
    );
    let accepted = Event::PageAccepted {
        page: 2,
        contact: 0,
        interrupted: false,
        others: 0,
        next_contact_at: None,
    };
    let exhausted = Event::PageExhausted {
        page: 3,
        reason: "the relay refused the address".to_owned(),
        contact: None,
    };
    let escalated = Event::Escalated {
        step: 0,
        round: 0,
        next_at: at("2026-01-02T20:12:00Z"),
        note: None,
    };
    let events = [
        paged(2, "bob", 0),
        accepted,
        paged(3, "cleo", 0),
        exhausted,
        escalated,
    ];
    for event in events {
        it.incident = it.incident.fold(&recorded("2026-01-02T20:07:00Z", event));
    }
    it.incident = it.incident.fold(&changed(
        "2026-01-02T18:07:00Z",
        "Deploy checkout v2.3.1 to production",
        "https://ci.example/deploys/981",
    ));
    it
}

fn little() -> Sample {
    let mut it = sample(
        "2026-01-02T20:09:40Z",
        json!({
            "title": "Disk of db-3 is 80 % full", "service": "", "grade": "minor",
        }),
    );
    it.counts = Counts::default();
    it
}

fn secret() -> Sample {
    let mut it = everything();
    let graded = json!({ "type": "graded", "data": {
        "grade": "critical", "security": true, "reason": "a key was leaked",
    }});
    let graded = serde_json::from_value(graded).unwrap();
    it.incident = it.incident.fold(&recorded("2026-01-02T20:06:00Z", graded));
    it
}

fn drill() -> Sample {
    let mut it = sample(
        "2026-01-02T20:04:00Z",
        json!({
            "grade": "major", "grade_reason": "ada graded it", "drill": true,
        }),
    );
    it.counts = Counts::default();
    it
}

/// Bob, who has it, passes it on to ada.
fn handover() -> Sample {
    let mut it = everything();
    let by = Actor::Person("bob".into());
    let passed_on = json!({ "type": "reassigned", "data": {
        "to": "ada", "until": at("2026-01-02T20:13:00Z"),
    }});
    let mut paged = paged(4, "ada", 0);
    if let Event::Paged { by_name, .. } = &mut paged {
        *by_name = true;
    }
    for event in [serde_json::from_value(passed_on).unwrap(), paged] {
        let at = at("2026-01-02T20:08:00Z");
        let by = by.clone();
        it.incident = it.incident.fold(&Recorded { at, by, event });
    }
    it
}

/// The worst are neither the first nor the oldest.
fn bundle(count: u64) -> Vec<Sample> {
    let grades = ["minor", "critical", "major"];
    let samples = (0..count).map(|at| {
        let service = format!("service-{at}");
        let (opened, grade) = ("2026-01-02T20:09:00Z", grades[(at % 3) as usize]);
        sample(opened, json!({
            "number": 100 + at, "service": service, "title": "no target answers", "grade": grade,
            "grade_reason": format!("severity is {grade}"),
            "links": [{ "title": "Runbook", "url": format!("https://wiki.example/{service}") }],
        }))
    });
    samples.collect()
}

fn hostile() -> Sample {
    let bad = "</td><script>alert(1)</script> <!channel> *bold* [x](http://evil.example)\r\n\
               Bcc: eve@example.com\u{202e}\u{0}";
    let mut it = sample(
        "2026-01-02T20:04:00Z",
        json!({
            "title": bad, "summary": format!("{bad} {}", "long ".repeat(400)), "service": bad,
            "team": bad, "grade_reason": bad, "link": "javascript:alert(1)",
            "links": [
                { "title": bad, "url": "https://e.example/\"><script>|a b\n" },
                { "title": "", "url": format!("https://e.example/{}", "x".repeat(3_000)) },
            ],
        }),
    );
    it.incident = it
        .incident
        .fold(&changed("2026-01-02T20:06:00Z", bad, "data:text/html,x"));
    it.incident = it
        .incident
        .fold(&recorded("2026-01-02T20:05:00Z", paged(2, "bob", 0)));
    it
}
