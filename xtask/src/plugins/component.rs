//! Wraps a core module into a component, and checks that it imports only the plugin interface.
//!
//! Without this check a dependency for browsers compiles, and the plugin fails only when the daemon
//! loads it, with a generated name.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

const OURS: &str = "tocsin:plugin/";

/// Wraps a core module into a component.
///
/// # Errors
/// When the module imports something that the host does not provide, with advice, or is not a
/// plugin.
pub(super) fn encode(id: &str, module: &[u8]) -> Result<Vec<u8>> {
    refuse_foreign(id, &imports(module)?)?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut it| it.encode())
        .with_context(|| {
            format!("{id} is not a plugin component; does it call `export_plugin!` in lib.rs?")
        })?;
    refuse_foreign(id, &imports(&component)?)?;
    Ok(component)
}

/// The imports of a module or component. A component's inner modules are linked inside it, so only
/// its own imports count.
fn imports(binary: &[u8]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    names.insert(format!("{} {}", import.module, import.name));
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.insert(import?.name.name.to_string());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn refuse_foreign(id: &str, imports: &BTreeSet<String>) -> Result<()> {
    let Some(name) = imports.iter().find(|it| !it.starts_with(OURS)) else {
        return Ok(());
    };
    bail!(
        "{id} imports `{name}`, which tocsin does not provide: {}",
        advice(name)
    )
}

fn advice(import: &str) -> &'static str {
    if import.starts_with("__wbindgen") || import.contains("wbg") {
        "a dependency was built for browsers; the usual ones are chrono (set default-features = \
         false) and getrandom (use the SDK's clock::random_bytes); find it with `cargo tree \
         --target wasm32-unknown-unknown -i wasm-bindgen`"
    } else if import.starts_with("wasi") {
        "plugins have no files, sockets or environment; build for \
         wasm32-unknown-unknown and use the SDK's functions"
    } else if import.starts_with("env ") {
        "a function is declared but not defined, usually by a dependency with C code; choose one \
         that is Rust only"
    } else {
        "the interface is plugin-sdk/wit/plugin.wit"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(import: &str) -> String {
        let imports = BTreeSet::from([import.to_string()]);
        refuse_foreign("probe", &imports).unwrap_err().to_string()
    }

    #[test]
    fn a_foreign_import_is_named_with_its_remedy() {
        let cases = [
            ("__wbindgen_placeholder__ __wbindgen_describe", "chrono"),
            ("wasi_snapshot_preview1 fd_write", "the SDK's functions"),
            ("env deflate", "Rust only"),
        ];
        for (import, remedy) in cases {
            let text = refusal(import);
            assert!(text.contains(import) && text.contains(remedy), "{text}");
        }
    }

    #[test]
    fn the_plugin_interface_is_not_foreign() {
        let imports = BTreeSet::from(["tocsin:plugin/http@0.1.0 send".to_string()]);
        refuse_foreign("probe", &imports).unwrap();
    }

    #[test]
    fn the_imports_of_a_core_module_are_read_from_its_bytes() {
        // (module (import "env" "f" (func)))
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x09\x01\x03env\x01f\0\0";
        let found = imports(module).unwrap();
        assert_eq!(found, BTreeSet::from(["env f".to_string()]));
    }
}
