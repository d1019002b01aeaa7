//! The program that libFuzzer drives; `cargo xtask fuzz` builds and starts it. `TOCSIN_FUZZ_TARGET`
//! names the target.
#![no_main]

use std::sync::LazyLock;

use tocsin_tests::fuzz;

#[expect(clippy::disallowed_methods, reason = "libFuzzer has the main function")]
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TOCSIN_FUZZ_TARGET").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| {
        eprintln!("there is no fuzz target `{name}`; `cargo xtask fuzz --list` names them");
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
