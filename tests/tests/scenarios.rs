//! The requirements in `tests/scenarios/`, each of them played.

use tocsin_tests::paths;
use tocsin_tests::scenario::play;

/// One test for each scenario, by the name of its file.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let file = concat!(stringify!($name), ".scenario");
                let path = paths::root().join("tests/scenarios").join(file);
                if let Err(failure) = play(&path).await {
                    panic!("{failure}");
                }
            }
        )*
    };
}

scenarios![
    a_contact_that_refuses_loses_the_page_at_once,
    a_grade_comes_with_its_reason,
    a_grading_policy_of_the_wrong_shape_costs_a_grade_and_no_page,
    a_grading_policy_that_loops_costs_a_grade_and_no_page,
    a_grading_policy_that_throws_costs_a_grade_and_no_page,
    a_lease_that_ended_during_downtime_holds_a_while,
    a_minor_incident_wakes_nobody_at_night,
    a_page_that_may_have_arrived_says_so_when_another_channel_takes_it,
    a_page_that_was_under_way_goes_out_once_after_downtime,
    a_persons_resolve_stands_against_repeats,
    a_policy_that_breaks_while_it_runs_leaves_the_last_good_one,
    a_routing_policy_that_throws_costs_a_place_and_no_page,
    a_silence_that_is_ended_early_ends_at_once,
    a_silenced_alert_pages_nobody_until_the_silence_ends,
    a_storm_is_one_incident_one_page_and_exact_counts,
    a_storm_that_ends_resolves_its_incident,
    a_team_with_a_rotation_is_paged_first,
    acknowledging_by_mail_makes_the_operator,
    acknowledging_through_the_api_stops_the_escalation,
    after_downtime_one_step_fires,
    an_alert_that_flaps_keeps_its_incident_open,
    an_alert_whose_sender_falls_silent_is_over,
    an_escalation_policy_that_throws_pages_the_fallback,
    flapping_alerts_open_an_incident_together,
    nobody_answers_and_the_page_goes_on,
    pages_of_two_incidents_are_two_pages,
    repeats_do_nothing,
    what_fires_again_soon_comes_back_and_later_opens_anew,
    what_gets_worse_at_night_wakes_somebody,
    when_no_channel_works_the_page_waits_for_the_first_that_does,
    when_slack_fails_the_page_goes_by_mail,
    when_slack_hangs_the_page_goes_by_mail,
    when_slack_is_down_the_page_goes_by_mail,
    whoever_is_on_call_now_is_paged_on_the_night_the_clocks_go_back,
    whoever_is_on_call_now_is_paged_on_the_night_the_clocks_go_forward,
];

#[test]
fn every_scenario_is_played() {
    let folder = std::fs::read_dir(paths::root().join("tests/scenarios"));
    let names = folder.into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.strip_suffix(".scenario").map(str::to_owned)
    });
    let left_out: Vec<String> = names.filter(|it| !NAMES.contains(&it.as_str())).collect();
    assert!(left_out.is_empty(), "add to `scenarios!`: {left_out:?}");
}
