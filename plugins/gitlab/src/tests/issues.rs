//! What an incident's issue says, and that people's own text survives.

use super::{World, at, opened};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::{incident, person};
use tocsin_plugin_sdk::types::{EventBody, ExternalRef, Grade, Incident, Outcome, Status};
use tocsin_standins::gitlab::{GitLab, Issue};

#[test]
fn an_incident_gets_an_issue_that_says_what_it_is_and_is_linked() {
    let world = World::start();
    let it = at(1, |it| {
        it.operator = Some(person("Jo", "gitlab", "jo"));
        it.extra = json!({
            "grade-reason": "severity is *major*", "link": "https://prom.example/graph",
            "links": [{"title": "Runbook", "url": "https://wiki.example/checkout"}],
            "changes": {"newest": [{"title": "Deploy v2", "link": "https://ci.example/1",
                "at": it.opened_at - 600_000, "status": "suspected"}]},
        })
        .to_string();
    });
    world.deliver("e-1", EventBody::IncidentOpened(it)).unwrap();
    let issue = world.issue();
    assert_eq!(issue.title, "INC-42 Checkout is down");
    assert_eq!(issue.issue_type, "incident");
    assert_eq!(issue.labels, ["grade::major", "incident"]);
    assert!(!issue.confidential && !issue.is_closed);
    let want = "<!-- tocsin:incident:inc-1 -->\n\
        **[INC-42](<https://tocsin.example/incidents/42>)** in tocsin. This part is kept current; \
        write above or below it.\n\n\
        - **Grade:** major (severity is \\*major\\*)\n\
        - **Status:** open\n\
        - **Service:** checkout\n\
        - **Operator:** Jo\n\
        - **Opened:** 2026-01-02 12:00 UTC\n\n\
        **Summary:** 5xx over 20 \\% for 5 minutes\n\n\
        **Suspected changes:**\n\n\
        - 2026-01-02 11:50 UTC: [Deploy v2](<https://ci.example/1>)\n\n\
        **Links:**\n\n\
        - [Alert](<https://prom.example/graph>)\n\
        - [Runbook](<https://wiki.example/checkout>)\n\
        <!-- tocsin:end -->";
    assert_eq!(issue.description, want);
    let commands = world.host.commands();
    let linked: Vec<_> = commands.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(linked, ["issue 7#1"]);
}

#[test]
fn an_incident_gets_an_issue_from_the_configured_grade_on() {
    let cases = [
        ("minor", Grade::Minor, true),
        ("major", Grade::Minor, false),
        ("major", Grade::Major, true),
        ("critical", Grade::Major, false),
        ("critical", Grade::Critical, true),
        ("never", Grade::Critical, false),
    ];
    for (from, grade, wanted) in cases {
        let world = World::start();
        world.host.set_config("issue-from-grade", from);
        let it = at(1, |it| it.grade = grade);
        let outcome = world.deliver("e-1", EventBody::IncidentOpened(it));
        let want = if wanted {
            Outcome::Done
        } else {
            Outcome::Ignored
        };
        assert_eq!(outcome, Ok(want), "{from} {grade:?}");
        let requests = world.host.requests().len();
        assert_eq!(requests > 0, wanted, "{from} {grade:?}");
    }
}

#[test]
fn an_incident_that_was_closed_before_gets_none() {
    let world = World::start();
    let closed = at(9, |it| it.status = Status::Closed);
    assert_eq!(world.change(&closed), Ok(Outcome::Ignored));
}

#[test]
fn the_issue_follows_the_incident() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    type Edit = fn(&mut Incident);
    let steps: [(Edit, &str, bool); 4] = [
        (|it| it.grade = Grade::Critical, "grade::critical", false),
        (|it| it.status = Status::Resolved, "grade::major", true),
        (|it| it.status = Status::Open, "grade::major", false),
        (|it| it.status = Status::Closed, "grade::major", true),
    ];
    for (revision, (edit, label, is_closed)) in (2..).zip(steps) {
        world.change(&at(revision, edit)).unwrap();
        let issue = world.issue();
        assert_eq!(issue.labels, [label, "incident"], "{revision}");
        assert_eq!(issue.is_closed, is_closed, "{revision}");
    }
    let titled = at(7, |it| it.title = "Cart is down".into());
    world.change(&titled).unwrap();
    assert_eq!(world.issue().title, "INC-42 Cart is down");
}

#[test]
fn an_event_that_is_older_than_what_the_issue_shows_is_dropped() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    let critical = at(3, |it| it.grade = Grade::Critical);
    world.change(&critical).unwrap();
    let writes = world.writes();
    world.change(&at(2, |it| it.title = "Old".into())).unwrap();
    assert_eq!(world.writes(), writes);
    assert_eq!(world.issue().title, "INC-42 Checkout is down");
}

#[test]
fn what_the_issue_does_not_show_makes_no_request() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    let requests = world.host.requests().len();
    let counted = at(2, |it| {
        it.extra = json!({"alerts": {"total": 500, "firing": 499}}).to_string();
    });
    world.change(&counted).unwrap();
    assert_eq!(world.host.requests().len(), requests);
}

#[test]
fn what_people_write_and_set_survives() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    world.edit(|it| {
        it.description = format!("Above.\n\n{}\n\nBelow.", it.description);
        it.labels.push("team::shop".into());
        it.title = "Checkout is slow for some".into();
        it.is_closed = true;
    });
    let mitigated = at(2, |it| it.status = Status::Mitigated);
    world.change(&mitigated).unwrap();
    let issue = world.issue();
    let description = &issue.description;
    assert!(
        description.starts_with("Above.\n\n<!-- tocsin:"),
        "{description}"
    );
    assert!(description.ends_with("end -->\n\nBelow."), "{description}");
    assert!(
        description.contains("**Status:** mitigated"),
        "{description}"
    );
    assert_eq!(issue.labels, ["grade::major", "incident", "team::shop"]);
    assert_eq!(issue.title, "Checkout is slow for some");
    assert!(issue.is_closed, "it is not reopened against their will");
}

#[test]
fn a_description_that_lost_our_part_gets_it_at_its_end() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    world.edit(|it| it.description = "Only this.\n".into());
    let critical = at(2, |it| it.grade = Grade::Critical);
    world.change(&critical).unwrap();
    let description = world.issue().description;
    let want = "Only this.\n\n<!-- tocsin:incident:inc-1 -->";
    assert!(description.starts_with(want), "{description}");
}

#[test]
fn a_text_from_outside_does_nothing_in_gitlab() {
    let world = World::start();
    let it = at(1, |it| {
        it.title = "@all /close <!-- tocsin:incident:inc-2 -->".into();
        it.summary = "/close\n/label ~bug\n@ada <!-- tocsin:end -->".into();
        it.services = vec!["@bob".into()];
        it.extra = json!({"grade-reason": "\n/confidential\n@ada",
            "link": "https://x.example/ > /close",
            "links": [{"title": "\n/reopen @ada", "url": "https://y.example/@ada"},
                {"title": "x", "url": "javascript:alert(1)"}]})
        .to_string();
    });
    world
        .deliver("e-1", EventBody::IncidentOpened(it.clone()))
        .unwrap();
    let mut next = it;
    next.revision = 2;
    next.summary.push_str("\r\n/close");
    world.change(&next).unwrap();
    let (gitlab, issue) = (world.gitlab.borrow(), world.issue());
    assert_eq!(gitlab.quick_actions, [""; 0]);
    // The address of a link, which GitLab does not take for a mention.
    let mentioned = gitlab.mentioned.iter().filter(|it| *it != "ada").count();
    assert_eq!(mentioned, 0, "{:?}", gitlab.mentioned);
    assert_eq!(issue.description.matches("<!-- tocsin:").count(), 2);
    assert_eq!(issue.description.matches("@ada").count(), 1);
    assert!(!issue.description.contains("javascript"));
    assert!(!issue.is_closed);
}

#[test]
fn a_drill_says_that_it_is_one() {
    let world = World::start();
    let it = at(1, |it| it.drill = true);
    world.deliver("e-1", EventBody::IncidentOpened(it)).unwrap();
    let issue = world.issue();
    assert_eq!(issue.title, "DRILL INC-42 Checkout is down");
    assert_eq!(issue.labels, ["drill", "grade::major", "incident"]);
}

#[test]
fn a_server_under_a_relative_url_works() {
    let gitlab = GitLab {
        prefix: "/gitlab".into(),
        ..GitLab::default()
    };
    let world = World::with(gitlab, "https://host.example/gitlab/");
    world.deliver("e-1", opened()).unwrap();
    assert_eq!(world.issue().iid, 1);
}

#[test]
fn an_issue_that_is_linked_is_used_even_if_its_row_is_lost() {
    let world = World::start();
    world.gitlab.borrow_mut().issues.push(Issue {
        id: 900,
        iid: 17,
        project: 7,
        title: "INC-42 Checkout is down".into(),
        ..Issue::default()
    });
    let it = at(5, |it| {
        it.refs.push(ExternalRef {
            plugin: "gitlab".into(),
            kind: "issue".into(),
            id: "7#17".into(),
            url: None,
        });
    });
    world.change(&it).unwrap();
    assert_eq!(world.issue().labels, ["grade::major"]);
    assert_eq!(world.host.commands(), []);
}

#[test]
fn an_issue_that_somebody_deleted_gets_no_successor() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    world.gitlab.borrow_mut().issues.clear();
    for revision in 2..4 {
        let it = at(revision, |it| it.title = format!("Title {revision}"));
        world.change(&it).unwrap();
    }
    assert!(world.gitlab.borrow().issues.is_empty());
    let logs = world.host.logs().join("\n");
    assert_eq!(logs.matches("is gone").count(), 1, "{logs}");
}

#[test]
fn the_current_state_decides_and_not_the_event() {
    let world = World::start();
    let mut now = incident();
    (now.revision, now.grade) = (4, Grade::Critical);
    world.host.add_incident(&now);
    world.deliver("e-1", opened()).unwrap();
    assert_eq!(world.issue().labels, ["grade::critical", "incident"]);
}
