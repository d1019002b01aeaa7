//! Generates the bindings.

use crate::paths;
use anyhow::{Context, Result, bail};
use std::fs;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::Opts;
use wit_parser::Resolve;

const REMEDY: &str = "run `cargo xtask bindings` and commit plugin-sdk/src/bindings.rs";

/// Writes or checks the committed bindings.
pub(super) fn run(check: bool) -> Result<()> {
    let path = paths::root().join("plugin-sdk/src/bindings.rs");
    let fresh = generate()?;
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed == fresh {
        return Ok(());
    }
    if check {
        bail!("plugin-sdk/src/bindings.rs is out of date with plugin-sdk/wit: {REMEDY}");
    }
    fs::write(&path, fresh).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote plugin-sdk/src/bindings.rs");
    Ok(())
}

fn generate() -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(paths::root().join("plugin-sdk/wit"))?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    let options = Opts {
        format: true,
        generate_all: true,
        generate_unused_types: true,
        pub_export_macro: true,
        export_macro_name: Some("export_bindings".into()),
        default_bindings_module: Some("$crate::bindings".into()),
        additional_derive_attributes: vec!["PartialEq".into()],
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    let (_, bytes) = files.iter().next().context("the generator wrote no file")?;
    let code = dedent(std::str::from_utf8(bytes)?);
    Ok(format!("{}\n{code}", super::first_line()?))
}

/// Removes indentation, which is two thirds of the generated file. It has no meaning to the
/// compiler: the only multi-line string literal has lines that end in a backslash.
fn dedent(text: &str) -> String {
    text.lines()
        .flat_map(|line| [line.trim_start(), "\n"])
        .collect()
}
