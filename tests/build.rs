//! Generates a test for each file in `tests/scenarios`.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=scenarios");
    let mut names = Vec::new();
    for entry in fs::read_dir("scenarios")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".scenario").map(str::to_owned));
    }
    names.sort();
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    let list = format!("scenarios![{}];\n", names.join(", "));
    fs::write(Path::new(&out).join("scenarios.rs"), list)
}
