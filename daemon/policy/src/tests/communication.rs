//! How soon audiences hear more, and who takes the roles besides the operator.

use tocsin_core::{Grade, Status};

use super::{context, facts, load, shipped_dir};
use crate::{Candidate, CandidateLoad, Candidates, IncidentFacts, IncidentView, PolicySet};

fn set(cadence: &str, respond: &str) -> PolicySet {
    let text = format!(
        "fn cadence(incident) {{ {cadence} }}\nfn respond(incident, candidates) {{ {respond} }}\n"
    );
    load(&[("communication.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"))
}

fn incident(grade: Grade, status: Status) -> IncidentView {
    IncidentView::new(IncidentFacts {
        grade: Some(grade),
        status,
        ..facts()
    })
}

/// The first is the operator; for every other it is night, and every third is on call.
fn candidates(loads: &[(&str, u32, u64, u64)]) -> Candidates {
    let one = |(at, (id, level, minutes, pages)): (usize, &(&str, u32, u64, u64))| Candidate {
        id: (*id).into(),
        level: *level,
        operator: at == 0,
        night: at % 2 == 1,
        on_call: at % 3 == 0,
        load: CandidateLoad {
            spokesperson_minutes: *minutes,
            pages: *pages,
            ..CandidateLoad::default()
        },
        ..Candidate::default()
    };
    Candidates::new(loads.iter().enumerate().map(one).collect())
}

const OK: &str = "#{ reason: \"r\" }";

#[test]
fn a_set_without_the_policy_answers_as_the_shipped_one_does() {
    let (bare, shipped) = (load(&[]).unwrap(), PolicySet::load(shipped_dir()).unwrap());
    let crowd: Vec<_> = (0..12)
        .map(|it| (format!("p{it}"), it % 3, it % 4, it % 5))
        .collect();
    let crowd: Vec<_> = crowd
        .iter()
        .map(|(id, level, minutes, pages)| {
            (id.as_str(), *level, u64::from(*minutes), u64::from(*pages))
        })
        .collect();
    for grade in Grade::ALL {
        for status in [Status::Open, Status::Mitigated] {
            let incident = incident(grade, status);
            let asked = |set: &PolicySet| set.cadence_with_basis(&incident, &context()).unwrap().0;
            assert_eq!(
                asked(&bare).value,
                asked(&shipped).value,
                "{grade} {status}"
            );
            assert_eq!(asked(&bare).source.file, "builtin");
            for count in [0, 1, 2, 3, 12] {
                let all = candidates(&crowd[..count]);
                let asked = |set: &PolicySet| {
                    let answer = set.respond_with_basis(&incident, &all, &context());
                    answer.unwrap_or_else(|report| panic!("{report}")).0.value
                };
                assert_eq!(asked(&bare), asked(&shipped), "{grade} {count}");
            }
        }
    }
}

#[test]
fn a_fault_names_the_field_what_was_found_and_what_is_expected() {
    for (cadence, says) in [
        (
            "#{ public: 5, reason: \"r\" }",
            "`public` is the number 5; expected a duration",
        ),
        (
            "#{ public: minutes(1), reason: \"r\" }",
            "`public` is 1m; between 5m and 168h",
        ),
        (
            "#{ pubic: minutes(5), reason: \"r\" }",
            "`pubic` is not a valid field; use engineering",
        ),
    ] {
        let report = set(cadence, OK)
            .cadence_with_basis(&incident(Grade::Major, Status::Open), &context())
            .unwrap_err();
        assert!(report.to_string().contains(says), "{report}");
        assert!(
            report.to_string().contains("company: minutes(30)"),
            "{report}"
        );
    }
    for (respond, says) in [
        (
            "#{ shadow: [\"zoe\"], reason: \"r\" }",
            "`shadow[0]`: no candidate is `zoe`; known are ada",
        ),
        (
            "#{ shadow: candidates, reason: \"r\" }",
            "`shadow[0]` is a candidate; expected the id",
        ),
        (
            "#{ shadow: \"ada\", reason: \"r\" }",
            "`shadow` is the string \"ada\"; expected a list",
        ),
        (
            "let all = []; all.pad(9, \"ada\"); #{ spokesperson: all, reason: \"r\" }",
            "`spokesperson` names 9 people; at most 8",
        ),
    ] {
        let incident = incident(Grade::Major, Status::Open);
        let all = candidates(&[("ada", 0, 0, 0)]);
        let report = set(OK, respond)
            .respond_with_basis(&incident, &all, &context())
            .unwrap_err();
        assert!(report.to_string().contains(says), "{report}");
    }
}

#[test]
fn an_answer_is_known_until_a_candidate_that_it_read_changes() {
    let respond = "#{ spokesperson: candidates.filter(|it| it.level > 1).map(|it| it.id), \
                   reason: \"r\" }";
    let set = set(OK, respond);
    let incident = incident(Grade::Major, Status::Open);
    let ask = |all: &Candidates| {
        let answer = set.respond_with_basis(&incident, all, &context());
        answer.unwrap_or_else(|report| panic!("{report}"))
    };
    let (verdict, basis) = ask(&candidates(&[("ada", 2, 0, 0), ("bob", 0, 0, 0)]));
    assert_eq!(verdict.value.spokesperson, ["ada".into()]);
    let read = basis.trace.whole().to_string();
    assert!(read.contains("[\"candidates[1].level\",0]"), "{read}");
    ask(&candidates(&[("ada", 2, 7, 7), ("eve", 0, 0, 0)]));
    assert_eq!(set.cache_stats().hits, 1);
    let (verdict, _) = ask(&candidates(&[("ada", 2, 0, 0), ("bob", 3, 0, 0)]));
    assert_eq!(verdict.value.spokesperson, ["ada".into(), "bob".into()]);
    let (verdict, _) = ask(&candidates(&[("ada", 2, 0, 0)]));
    assert_eq!(verdict.value.spokesperson, ["ada".into()]);
}

#[test]
fn a_check_finds_who_may_be_no_candidate_and_a_property_that_none_has() {
    for (respond, says) in [
        (
            "#{ shadow: [\"zoe\"], reason: \"r\" }",
            "no candidate is `zoe`",
        ),
        (
            "#{ shadow: candidates.map(|it| it.id), reason: \"r\" }",
            "names 10 people",
        ),
        (
            "for it in candidates { print(it.levle); } #{ reason: \"r\" }",
            "Unknown property 'levle' of 'Candidate'",
        ),
    ] {
        let text = format!(
            "fn cadence(incident) {{ {OK} }}\nfn respond(incident, candidates) {{ {respond} }}\n"
        );
        let folder = super::folder(&[("communication.rhai", &text)]);
        let found = crate::check(folder.path(), None).unwrap_err().to_string();
        assert!(found.contains(says), "{says}: {found}");
    }
}
