//! A GitLab server.

use crate::expect;
use serde_json::{Value, json};
use tocsin_standins::gitlab::{Fault, GitLab, Issue, TOKEN};
use tocsin_standins::{Asked, Service as _};

const ISSUES: &str = "https://gitlab.example/api/v4/projects/ops%2Fincidents/issues";

fn asked(method: &str, url: &str, body: &Value) -> Asked {
    let mut asked = Asked::new(method, url);
    asked.set_header("private-token", TOKEN);
    asked.set_header("content-type", "application/json");
    asked.body = body.to_string().into();
    asked
}

fn get(url: &str) -> Asked {
    asked("GET", url, &json!({}))
}

fn issue() -> Value {
    json!({"title": "INC-1 Disk full", "description": "text", "issue_type": "incident",
        "labels": ["incident", "grade::major"], "confidential": false, "assignee_ids": [51]})
}

/// A server with one issue.
fn with_issue() -> GitLab {
    let mut gitlab = GitLab::default();
    expect(
        &mut gitlab,
        &asked("POST", ISSUES, &issue()),
        (201, "\"iid\":1"),
        "created",
    );
    gitlab
}

#[test]
fn gitlab_refuses_wrong_fields_of_an_issue() {
    let cases = [
        ("title", json!(null), "title is missing"),
        ("title", json!(" "), "can't be blank"),
        ("title", json!("x".repeat(256)), "is too long"),
        ("title", json!(["x"]), "title is invalid"),
        (
            "issue_type",
            json!("outage"),
            "issue_type does not have a valid value",
        ),
        ("confidential", json!("perhaps"), "confidential is invalid"),
        ("labels", json!({"a": 1}), "labels is invalid"),
        ("labels", json!([1]), "labels is invalid"),
        ("assignee_ids", json!("ada"), "assignee_ids is invalid"),
        (
            "description",
            json!("x".repeat(1_048_577)),
            "description\":[\"is too long",
        ),
    ];
    let mut gitlab = GitLab::default();
    for (field, value, word) in cases {
        let mut body = issue();
        body[field] = value;
        expect(
            &mut gitlab,
            &asked("POST", ISSUES, &body),
            (400, word),
            field,
        );
    }
    let mut text = asked("POST", ISSUES, &json!({}));
    text.body = b"title=a".into();
    expect(
        &mut gitlab,
        &text,
        (400, "not JSON"),
        "neither JSON nor form",
    );
    assert!(gitlab.issues.is_empty(), "{:?}", gitlab.issues);
}

#[test]
fn gitlab_accepts_labels_as_a_list_and_as_text_with_commas() {
    let mut gitlab = GitLab::default();
    let want = ["a", "b::c"];
    for labels in [json!(["b::c", "a"]), json!("a, b::c")] {
        let body = json!({"title": "t", "labels": labels});
        gitlab.answer(&asked("POST", ISSUES, &body));
        assert_eq!(gitlab.issues.last().unwrap().labels, want, "{labels}");
    }
}

#[test]
#[should_panic(expected = "GitLab ignores")]
fn a_field_that_gitlab_ignores_is_a_fault_of_the_plugin() {
    let body = json!({"title": "t", "severity": "critical"});
    GitLab::default().answer(&asked("POST", ISSUES, &body));
}

#[test]
fn gitlab_refuses_wrong_tokens_unknown_projects_and_unknown_issues() {
    let mut gitlab = with_issue();
    let mut unknown = get(ISSUES);
    unknown.set_header("private-token", "glpat-wrong");
    expect(&mut gitlab, &unknown, (401, "401 Unauthorized"), "token");
    unknown.headers.remove("private-token");
    expect(&mut gitlab, &unknown, (401, "401 Unauthorized"), "none");
    unknown.set_header("authorization", &format!("Bearer {TOKEN}"));
    expect(&mut gitlab, &unknown, (200, "INC-1"), "as a bearer token");
    let base = "https://gitlab.example/api/v4";
    let cases = [
        ("/projects/ops%2Fother/issues", 404, "404 Project Not Found"),
        ("/projects/7/issues", 200, "INC-1"),
        ("/projects/7/issues/1", 200, "INC-1"),
        ("/projects/7/issues/2", 404, "404 Not found"),
        ("/projects/7/issues/2/notes", 404, "404 Not found"),
        ("/projects/7/issues/x", 400, "issue_iid is invalid"),
        ("/projects/7/issues?state=open", 400, "state does not have"),
        ("/projects/7/issues?created_after=now", 400, "created_after"),
        ("/projects/7/incidents", 404, "404 Not Found"),
        ("/users?username=nobody", 200, "[]"),
        ("/users?username=Ada", 200, "\"id\":51"),
    ];
    for (path, status, word) in cases {
        expect(
            &mut gitlab,
            &get(&format!("{base}{path}")),
            (status, word),
            path,
        );
    }
    gitlab.is_read_only = true;
    expect(&mut gitlab, &get(ISSUES), (200, "INC-1"), "read");
    let write = asked("POST", ISSUES, &issue());
    expect(&mut gitlab, &write, (403, "insufficient_scope"), "write");
    gitlab.prefix = "/gitlab".into();
    expect(
        &mut gitlab,
        &get(ISSUES),
        (404, "404 Not Found"),
        "another place",
    );
}

#[test]
fn gitlab_refuses_updates_without_a_change_and_unknown_events() {
    let mut gitlab = with_issue();
    let url = format!("{ISSUES}/1");
    let cases = [
        (json!({}), 400, "at least one parameter must be provided"),
        (
            json!({"state_event": "resolve"}),
            400,
            "state_event does not",
        ),
        (json!({"title": ""}), 400, "can't be blank"),
        (json!({"state_event": "close"}), 200, "\"state\":\"closed\""),
        (
            json!({"state_event": "reopen"}),
            200,
            "\"state\":\"opened\"",
        ),
        (
            json!({"add_labels": ["grade::critical"], "remove_labels": ["grade::major"]}),
            200,
            "[\"grade::critical\",\"incident\"]",
        ),
    ];
    for (body, status, word) in cases {
        let case = body.to_string();
        expect(
            &mut gitlab,
            &asked("PUT", &url, &body),
            (status, word),
            &case,
        );
    }
}

#[test]
fn gitlab_refuses_notes_without_text_and_links_that_there_are() {
    let mut gitlab = with_issue();
    gitlab.answer(&asked("POST", ISSUES, &issue()));
    let (notes, links) = (format!("{ISSUES}/1/notes"), format!("{ISSUES}/1/links"));
    let link = |iid: u64| json!({"target_project_id": "7", "target_issue_iid": iid.to_string()});
    let mut odd = link(2);
    odd["link_type"] = "copies".into();
    let cases = [
        (&notes, json!({}), 400, "body is missing"),
        (&notes, json!({"body": "  "}), 400, "can't be blank"),
        (&notes, json!({"body": "hello"}), 201, "hello"),
        (&links, json!({}), 400, "target_project_id is missing"),
        (&links, link(9), 404, "404 Not found"),
        (&links, odd, 400, "link_type does not have a valid value"),
        (&links, link(2), 201, "target_issue"),
        (&links, link(2), 409, "already assigned"),
        (&links, link(1), 409, "already assigned"),
    ];
    for (url, body, status, word) in cases {
        let case = body.to_string();
        expect(
            &mut gitlab,
            &asked("POST", url, &body),
            (status, word),
            &case,
        );
    }
}

#[test]
fn a_text_has_the_effects_that_it_has_in_gitlab() {
    let mut gitlab = with_issue();
    let body = json!({"body": "thanks @ada\n/close\n/label ~bug\n`@code` me@example.com \\@bob"});
    gitlab.answer(&asked("POST", &format!("{ISSUES}/1/notes"), &body));
    assert_eq!(gitlab.quick_actions, ["close", "label"]);
    assert_eq!(gitlab.mentioned, ["ada"]);
    assert!(gitlab.issues[0].is_closed);
    assert!(!gitlab.issues[0].notes[0].body.contains("/close"));
}

#[test]
fn a_search_finds_words_but_not_what_comments_hide() {
    let mut gitlab = GitLab::default();
    gitlab.issues.push(Issue {
        iid: 1,
        project: 7,
        description: "the disk <!-- marker --> is full".into(),
        ..Issue::default()
    });
    let cases = [
        ("disk", "[{"),
        ("ful", "[{"),
        ("marker", "[]"),
        ("no", "[]"),
    ];
    for (word, want) in cases {
        let url = format!("{ISSUES}?search={word}&in=description");
        expect(&mut gitlab, &get(&url), (200, want), word);
    }
}

#[test]
fn a_list_comes_a_page_at_a_time() {
    let mut gitlab = GitLab::default();
    for iid in 1..=5 {
        gitlab.now_s = iid;
        gitlab.answer(&asked("POST", ISSUES, &issue()));
    }
    let answered = gitlab.answer(&get(&format!("{ISSUES}?per_page=2&page=2&sort=asc")));
    let listed: Value = serde_json::from_str(&answered.body).unwrap();
    assert_eq!(
        (&listed[0]["iid"], &listed[1]["iid"]),
        (&json!(3), &json!(4))
    );
    let link = format!("<{ISSUES}?page=3&per_page=2&sort=asc>; rel=\"next\"");
    for (name, value) in [("x-next-page", "3"), ("link", &link)] {
        let header = (name.to_owned(), value.to_owned());
        assert!(answered.headers.contains(&header), "{:?}", answered.headers);
    }
    let url = format!("{ISSUES}?created_after=1970-01-01T00:00:05Z&scope=created_by_me");
    let late: Value = serde_json::from_str(&gitlab.answer(&get(&url)).body).unwrap();
    assert_eq!(late.as_array().unwrap().len(), 1);
}

#[test]
fn a_fault_is_the_answer_to_every_request() {
    let mut gitlab = GitLab {
        fault: Some(Fault {
            status: 429,
            headers: vec![("retry-after".into(), "7".into())],
            body: json!({"message": "Retry later"}),
        }),
        ..GitLab::default()
    };
    expect(&mut gitlab, &get(ISSUES), (429, "Retry later"), "fault");
}
