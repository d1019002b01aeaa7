//! The whole program, killed many times under load, loses nothing that it accepted.
//! `TOCSIN_CRASH_KILLS` sets how often, `TOCSIN_CRASH_SEED` the random seed.
#![forbid(unsafe_code)]

use std::env;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use tocsin_tests::crash::{Parameters, run, trace};
use tocsin_tests::skip;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_however_often_it_is_killed() {
    let test = "nothing_is_lost_however_often_it_is_killed";
    if skip::slack_plugin(test).is_none() {
        return;
    }
    let fresh = SystemTime::now().duration_since(UNIX_EPOCH);
    let fresh = fresh.map_or(1, |it| u64::from(it.subsec_nanos()));
    let parameters = Parameters {
        program: PathBuf::from(env!("CARGO_BIN_EXE_tocsin-under-test")),
        seed: number("TOCSIN_CRASH_SEED").unwrap_or(fresh),
        kills: number("TOCSIN_CRASH_KILLS")
            .and_then(|it| it.try_into().ok())
            .unwrap_or(200),
    };
    println!("seed {}", parameters.seed);
    let summary = run(&parameters)
        .await
        .unwrap_or_else(|why| panic!("seed {}: {why}", parameters.seed));
    println!("{summary}");
    assert!(
        summary.faults.is_empty(),
        "seed {}: {:#?}",
        parameters.seed,
        summary.faults
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_before_it_is_synced() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_tocsin-under-test"));
    let held = trace(&program).await.unwrap_or_else(|why| panic!("{why}"));
    match held {
        Ok(count) => println!("{count} requests, each synced before its response"),
        Err(why) => skip::skipped("nothing_is_answered_before_it_is_synced", &why),
    }
}
