//! The requirements in `tests/scenarios/`, each of them played.

use tocsin_tests::paths;
use tocsin_tests::scenario::play;

/// One test for each scenario, by the name of its file.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
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

// The list: made by the build script of the files that are there.
include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
