//! Tests of the load of people, and of how unequal it is.

use tocsin_core::time::MINUTE_MS;

use super::*;

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

#[test]
fn the_coefficient_is_0_of_equals_and_nearly_1_if_one_has_everything() {
    close(gini(&[]), 0.0);
    close(gini(&[0, 0, 0]), 0.0);
    close(gini(&[7]), 0.0);
    close(gini(&[7, 7, 7, 7]), 0.0);
    for count in 2..9_u32 {
        let mut values = vec![0; count as usize];
        values[0] = 40;
        let n = f64::from(count);
        close(gini(&values), (n - 1.0) / n);
    }
    // By hand: the mean of all differences, over twice the mean.
    close(gini(&[3, 1, 2]), 8.0 / 9.0 / (2.0 * 2.0));
    close(gini(&[1, 2, 3]), gini(&[3, 1, 2]));
    close(gini(&[10, 20, 30]), gini(&[1, 2, 3]));
}

#[test]
fn whoever_has_the_most_has_a_share_of_all() {
    assert_eq!((top(&[]), top(&[0, 0])), (None, None));
    let found = top(&[1, 3, 0]).unwrap();
    assert_eq!(found.place, 1);
    close(found.share, 0.75);
    assert_eq!(top(&[2, 2]).unwrap().place, 0);
}

#[test]
fn the_load_is_minutes_in_roles_and_what_pages_cost() {
    let load = Load {
        incidents: 9,
        pages: 4,
        night_pages: 1,
        operator_ms: 90 * MINUTE_MS + 59_999,
        spokesperson_ms: 10 * MINUTE_MS,
    };
    assert_eq!(load.minutes(), 90 + 10 + 4 * 15 + 45);
    assert_eq!(Load::default().minutes(), 0);
}
