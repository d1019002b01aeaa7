//! Tests of matchers and silences.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tocsin_core::{Labels, Timestamp};

use super::*;

/// 2026-01-31T12:10:00Z.
const NOW: Timestamp = Timestamp(1_769_861_400_000);

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_matcher_is_parsed_as_amtool_writes_it() {
    use MatchOp::{Equal, Matches, NotEqual, NotMatches};
    let cases = [
        (r#"a="b""#, ("a", Equal, "b")),
        ("a=b", ("a", Equal, "b")),
        (" a != \"b c\" ", ("a", NotEqual, "b c")),
        ("a=~b.+", ("a", Matches, "b.+")),
        ("a!~\"b|c\"", ("a", NotMatches, "b|c")),
        ("a=", ("a", Equal, "")),
        ("a=\"\"", ("a", Equal, "")),
        ("a=b=c", ("a", Equal, "b=c")),
        ("a=b c,d", ("a", Equal, "b c,d")),
        (r#"a="x\"y\\z\n""#, ("a", Equal, "x\"y\\z\n")),
        (r#"a=~"\d+\.""#, ("a", Matches, r"\d+\.")),
        (r"a=b\", ("a", Equal, r"b\")),
        (r#""foo bar"="b""#, ("foo bar", Equal, "b")),
        (r#""a"=b"#, ("a", Equal, "b")),
        ("foo.bar=baz", ("foo.bar", Equal, "baz")),
        ("Σ!=\"\\u00e9\\x41\\101\"", ("Σ", NotEqual, "éAA")),
    ];
    for (text, (name, op, value)) in cases {
        let matcher = parse_matcher(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (matcher.name(), matcher.op(), matcher.value()),
            (name, op, value),
            "{text}"
        );
    }
}

#[test]
fn text_that_is_not_a_matcher_is_refused_with_a_reason() {
    let cases = [
        ("", "not start with a label's name"),
        ("a", "followed by =, !=, =~ or !~"),
        ("=b", "not start with a label's name"),
        ("a b=c", "followed by =, !=, =~ or !~"),
        (r#"a="b"#, "without a backslash"),
        (r#"a=b""#, "without a backslash"),
        (r#"a="b"c"#, "without a backslash"),
        (r#"a="b\""#, "without a backslash"),
        (r#""a=b"#, "a quote is not closed"),
        (r#"""=b"#, "needs a label's name"),
        (r#""a\q"=b"#, "not a valid Go escape"),
        ("foo.bar=a b", "needs double quotes"),
        ("foo.bar=", "missing"),
        (r#""a b"="\xff""#, "not UTF-8"),
        ("a=~(", "which is not a regular expression"),
        ("a=~b)|(c", "which is not a regular expression"),
        (
            "a=~(((((x{9}){99}){99}){99}){99})",
            "which is not a regular expression",
        ),
    ];
    for (text, wanted) in cases {
        let error = parse_matcher(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn a_list_is_split_at_commas_outside_of_quotes() {
    for text in [r#"{a="b,c", d=~"e"}"#, r#"a="b,c",d=~e,"#] {
        let found: Vec<_> = parse_matchers(text)
            .unwrap()
            .iter()
            .map(Matcher::to_string)
            .collect();
        assert_eq!(found, [r#"a="b,c""#, r#"d=~"e""#], "{text}");
    }
    assert_eq!(parse_matchers("{}").unwrap(), []);
    for text in ["{a=b", "a=b}", "{"] {
        assert!(parse_matchers(text).is_err(), "{text}");
    }
    let many = "a=b,".repeat(MATCHERS_MAX + 1);
    assert_eq!(
        parse_matchers(&many),
        Err(MatcherSyntaxError::TooMany(MATCHERS_MAX + 1))
    );
}

#[test]
fn a_pattern_matches_whole_values_and_an_absent_label_is_empty() {
    let db = labels(&[("instance", "db-1"), ("severity", "critical")]);
    let cases = [
        ("instance=db-1", true),
        ("instance=db", false),
        ("instance=~db", false),
        ("instance=~db.*", true),
        ("instance=~web|db-1", true),
        ("instance!~web.*", true),
        ("instance!=db-1", false),
        ("absent=\"\"", true),
        ("absent=~.*", true),
        ("absent=~.+", false),
        ("absent!=x", true),
    ];
    for (text, wanted) in cases {
        assert_eq!(
            matches_all(&[parse_matcher(text).unwrap()], &db),
            wanted,
            "{text}"
        );
    }
}

fn body() -> Value {
    json!({
        "matchers": [
            {"name": "alertname", "value": "Disk.*", "isRegex": true},
            {"name": "env", "value": "test", "isRegex": false, "isEqual": false},
        ],
        "startsAt": "2026-01-31T12:00:00Z",
        "endsAt": "2026-01-31T14:10:00.000Z",
        "createdBy": "ada",
        "comment": "moving disks",
    })
}

fn post(body: &Value) -> Result<Silence, String> {
    read_postable(body.to_string().as_bytes())?.into_silence("new-id", NOW)
}

#[test]
fn a_silence_that_is_very_long_or_hides_nearly_everything_is_dangerous() {
    let lasting = |ms: u64, matchers: &[&str]| {
        let parsed = matchers.iter().map(|it| parse_matcher(it).unwrap());
        Silence {
            matchers: parsed.collect(),
            ends_at: NOW.plus_ms(ms),
            ..post(&body()).unwrap()
        }
        .dangers()
    };
    assert_eq!(lasting(LONG_MS, &["alertname=Down"]), [""; 0]);
    let long = lasting(LONG_MS + 1, &["alertname=Down"]).concat();
    assert!(long.starts_with("it lasts 31 days, more than 30"), "{long}");
    let cases: &[(&[&str], Option<&str>)] = &[
        (&["alertname=~.+"], Some("`alertname`")),
        (&["alertname!=\"\""], Some("`alertname`")),
        (&["alertname!~^$", "severity=~.*"], Some("`alertname`")),
        (&["alertname=~.+", "service!=shop"], Some("`alertname`")),
        (
            &["alertname=~.+", "team=~.+"],
            Some("`alertname` and `team`"),
        ),
        (&["alertname=~.+", "service=shop"], None),
        (&["alertname=~Disk.+"], None),
        (&["instance=~.*:9100"], None),
    ];
    for (matchers, names) in cases {
        let said = lasting(1, matchers).concat();
        match names {
            Some(names) => assert!(
                said.contains(&format!("has {names},")),
                "{matchers:?}: {said}"
            ),
            None => assert_eq!(said, "", "{matchers:?}"),
        }
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut body = body();
    body[name] = value;
    body
}

#[test]
fn a_posted_silence_silences_what_it_matches_from_now_to_its_end() {
    let silence = post(&body()).unwrap();
    assert_eq!(silence.id, "new-id");
    assert_eq!(silence.starts_at, NOW, "the past is not silenced");
    let disk = labels(&[("alertname", "DiskFull"), ("env", "prod")]);
    assert!(silence.silences(&disk, NOW));
    assert!(silence.silences(&disk, Timestamp(silence.ends_at.0 - 1)));
    assert!(!silence.silences(&disk, silence.ends_at));
    assert!(!silence.silences(&labels(&[("alertname", "DiskFull"), ("env", "test")]), NOW));
    assert!(!silence.silences(&labels(&[("alertname", "A DiskFull")]), NOW));
}

#[test]
fn a_silence_that_is_not_valid_is_refused() {
    let matcher =
        |value: &str, is_regex: bool| json!([{"name": "a", "value": value, "isRegex": is_regex}]);
    let cases = [
        ("matchers", json!([]), "at least one matcher"),
        ("matchers", matcher("", false), "at least one matcher"),
        ("matchers", matcher(".*", true), "at least one matcher"),
        (
            "matchers",
            matcher("(", true),
            "which is not a regular expression",
        ),
        (
            "matchers",
            json!([{"name": "", "value": "x", "isRegex": false}]),
            "needs a label's name",
        ),
        ("matchers", json!([{"name": "a"}]), "missing field"),
        (
            "endsAt",
            json!("2026-01-31T11:00:00Z"),
            "start time must be before end time",
        ),
        ("endsAt", json!("2026-01-31T12:05:00Z"), "in the past"),
        (
            "endsAt",
            json!("0001-01-01T00:00:00Z"),
            "`endsAt` must be a time",
        ),
        ("startsAt", json!("soon"), "`startsAt` must be a time"),
        ("comment", json!(null), "invalid type"),
        (
            "comment",
            json!("x".repeat(COMMENT_BYTES_MAX + 1)),
            "longer than",
        ),
    ];
    for (name, value, wanted) in cases {
        let error = post(&with(name, value.clone())).expect_err(name);
        assert!(error.contains(wanted), "{name} = {value}: {error}");
    }
    let error = post(&with("matchers", json!("x".repeat(10_000)))).expect_err("no array");
    assert!(
        error.len() < 1_000,
        "an error repeats only the beginning: {error}"
    );
    let many = vec![json!({"name": "a", "value": "b", "isRegex": false}); MATCHERS_MAX + 1];
    assert!(post(&with("matchers", json!(many))).is_err());
}

#[test]
fn a_silence_is_stored_and_shown_as_it_was_posted() {
    let silence = post(&body()).unwrap();
    let kept = serde_json::to_string(&silence).unwrap();
    assert_eq!(serde_json::from_str::<Silence>(&kept).unwrap(), silence);
    let shown = serde_json::to_value(GettableSilence::of(&silence, NOW)).unwrap();
    assert_eq!(
        shown,
        json!({
            "id": "new-id",
            "status": {"state": "active"},
            "updatedAt": "2026-01-31T12:10:00.000Z",
            "matchers": [
                {"name": "alertname", "value": "Disk.*", "isRegex": true, "isEqual": true},
                {"name": "env", "value": "test", "isRegex": false, "isEqual": false},
            ],
            "startsAt": "2026-01-31T12:10:00.000Z",
            "endsAt": "2026-01-31T14:10:00.000Z",
            "createdBy": "ada",
            "comment": "moving disks",
            "annotations": {},
            "hid": { "alerts": 0, "pauses": 0 },
        })
    );
}

#[test]
fn a_silence_expires_once() {
    for starts_at in ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00Z"] {
        let silence = Arc::new(post(&with("startsAt", json!(starts_at))).unwrap());
        let ended = expire(&[silence], "new-id", NOW).unwrap();
        assert_eq!(ended.state(NOW), SilenceState::Expired);
        assert!(ended.starts_at <= ended.ends_at);
        let again = expire(&[Arc::new(ended)], "new-id", NOW);
        assert_eq!(again, Err(SilenceRefusal::AlreadyExpired("new-id".into())));
    }
    assert_eq!(
        expire(&[], "gone", NOW),
        Err(SilenceRefusal::Unknown("gone".into()))
    );
}

#[test]
fn a_change_to_the_past_expires_the_old_silence_and_creates_a_new_one() {
    let old = Arc::new(post(&body()).unwrap());
    let posted = |body: &Value| read_postable(body.to_string().as_bytes()).unwrap();
    let mut longer = with("id", json!("new-id"));
    longer["endsAt"] = json!("2026-02-01T12:00:00Z");
    longer["startsAt"] = json!(crate::time::format_time(old.starts_at));
    let same = set(&[Arc::clone(&old)], posted(&longer), "other-id", NOW).unwrap();
    assert_eq!((same.id.as_str(), same.changed.len()), ("new-id", 1));
    let mut other = longer.clone();
    other["matchers"][0]["value"] = json!("another");
    let changed = set(&[Arc::clone(&old)], posted(&other), "other-id", NOW).unwrap();
    let ids: Vec<_> = changed.changed.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(
        (changed.id.as_str(), ids),
        ("other-id", vec!["new-id", "other-id"])
    );
    assert_eq!(changed.changed[0].state(NOW), SilenceState::Expired);
    let unknown = set(&[], posted(&longer), "other-id", NOW);
    assert_eq!(unknown, Err(SilenceRefusal::Unknown("new-id".into())));
    let full = vec![Arc::clone(&old); SILENCES_MAX];
    let one_more = set(&full, posted(&body()), "other-id", NOW);
    assert_eq!(one_more, Err(SilenceRefusal::TooMany));
}

#[test]
fn an_expired_silence_is_removed_after_five_days() {
    let silence = post(&body()).unwrap();
    let end = silence.ends_at.plus_ms(EXPIRED_KEPT_MS);
    assert!(!is_forgotten(&silence, end));
    assert!(is_forgotten(&silence, end.plus_ms(1)));
}

#[test]
fn a_change_keeps_the_id_only_if_it_does_not_change_the_past() {
    let active = post(&body()).unwrap();
    let longer = Silence {
        ends_at: active.ends_at.plus_ms(1),
        ..active.clone()
    };
    assert!(active.can_become(&longer, NOW));
    assert!(
        !active.can_become(&longer, active.ends_at),
        "what has expired stays as it was"
    );
    let other = Silence {
        matchers: vec![parse_matcher("a=b").unwrap()],
        ..active.clone()
    };
    assert!(!active.can_become(&other, NOW));
    let later = Silence {
        starts_at: NOW.plus_ms(1),
        ..active.clone()
    };
    assert!(!active.can_become(&later, NOW));
    assert!(later.can_become(&longer, NOW));
}

#[test]
fn silences_are_listed_active_first_and_filtered_by_their_matchers() {
    let silence = |id: &str, starts: i64, ends: i64, matcher: &str| Silence {
        id: id.into(),
        matchers: vec![parse_matcher(matcher).unwrap()],
        starts_at: Timestamp(NOW.0 + starts),
        ends_at: Timestamp(NOW.0 + ends),
        ..post(&body()).unwrap()
    };
    let all = [
        silence("expired-early", -9, -5, "a=b"),
        silence("expired-late", -9, -1, "a=b"),
        silence("pending", 5, 9, "a=c"),
        silence("active-long", -1, 9, "a=b"),
        silence("active-short", -1, 2, "a=b"),
    ];
    let ids = |filter: &SilenceFilter| -> Vec<String> {
        list_silences(&all, filter, NOW)
            .into_iter()
            .map(|silence| silence.id)
            .collect()
    };
    assert_eq!(
        ids(&SilenceFilter::default()),
        [
            "active-short",
            "active-long",
            "pending",
            "expired-late",
            "expired-early"
        ]
    );
    for (text, wanted) in [("a=c", &["pending"][..]), ("a=~c", &[]), ("a=\"\"", &[])] {
        let matchers = vec![parse_matcher(text).unwrap()];
        assert_eq!(
            ids(&SilenceFilter {
                matchers,
                ..SilenceFilter::default()
            }),
            wanted,
            "{text}"
        );
    }
    let running = SilenceFilter {
        expired: false,
        pending: false,
        ..SilenceFilter::default()
    };
    assert_eq!(ids(&running), ["active-short", "active-long"]);
}

proptest! {
    #[test]
    fn a_formatted_matcher_is_parsed_back(
        name in "[a-z_]{1,8}|.{1,8}",
        value in "(?s).{0,16}",
        op in 0_usize..2,
    ) {
        let op = [MatchOp::Equal, MatchOp::NotEqual][op];
        let matcher = Matcher::new(name, op, value).unwrap();
        prop_assert_eq!(parse_matcher(&matcher.to_string()).unwrap(), matcher);
    }
}
