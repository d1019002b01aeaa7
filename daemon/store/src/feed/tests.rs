use super::*;

fn changed(position: u64, rows: usize) -> Changed {
    let rows = (0..rows).map(|n| (Table::Alert, n.to_string())).collect();
    Changed {
        position: Position(position),
        streams: Vec::new(),
        rows,
    }
}

fn positions(feed: Feed) -> Vec<u64> {
    match feed {
        Feed::Changes(changes) => changes.iter().map(|it| it.position.0).collect(),
        Feed::Expired { newest } => panic!("expired; the newest is {newest:?}"),
    }
}

#[test]
fn commits_are_kept_up_to_the_limit() {
    let mut window = Window::default();
    let last = FEED_COMMITS_KEPT as u64 + 2;
    for position in 1..=last {
        window.push(changed(position, 1));
    }
    let newest = Position(last);
    assert_eq!(window.after(Position(1), 9), Feed::Expired { newest });
    assert_eq!(positions(window.after(Position(2), 2)), [3, 4]);
    assert_eq!(window.newest(), newest);
}

#[test]
fn a_commit_that_is_larger_than_the_window_leaves_it_empty() {
    let mut window = Window::default();
    window.push(changed(1, 1));
    window.push(changed(2, FEED_CHANGES_KEPT + 1));
    let newest = Position(2);
    assert_eq!(window.after(Position(1), 9), Feed::Expired { newest });
    assert_eq!(positions(window.after(newest, 9)), [0; 0]);
    window.push(changed(3, 1));
    assert_eq!(positions(window.after(newest, 9)), [3]);
}

#[test]
fn at_least_one_commit_is_returned() {
    let mut window = Window::begin(Position(10));
    window.push(changed(11, FEED_CHANGES_MAX + 1));
    window.push(changed(12, 1));
    window.push(changed(20, FEED_CHANGES_MAX - 1));
    window.push(changed(21, 1));
    assert_eq!(positions(window.after(Position(10), 9)), [11]);
    assert_eq!(positions(window.after(Position(11), 9)), [12, 20]);
    assert_eq!(positions(window.after(Position(19), 9)), [20, 21]);
}

#[test]
fn a_position_of_another_store_is_rejected() {
    let window = Window::begin(Position(10));
    let newest = Position(10);
    assert_eq!(window.after(Position(9), 9), Feed::Expired { newest });
    assert_eq!(window.after(Position(11), 9), Feed::Expired { newest });
    assert_eq!(window.after(newest, 9), Feed::Changes(Vec::new()));
}
