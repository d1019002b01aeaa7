//! Code that the policies of a folder share: the functions of `lib/NAME.rhai`, which a policy
//! imports by name. Nothing else can be imported.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Shared};

/// The folder of shared code, within the policies' folder.
pub(crate) const FOLDER: &str = "lib";

thread_local! {
    // The engine's resolver belongs to no set of policies; a call runs on one thread.
    static MODULES: RefCell<Arc<Modules>> = RefCell::default();
}

/// Compiled files in lib/, by name.
pub(crate) type Modules = BTreeMap<String, Shared<Module>>;

/// The name under which a file in lib/ is imported.
pub(crate) fn name(file: &str) -> Option<&str> {
    let file = file.strip_prefix(FOLDER)?.strip_prefix('/')?;
    file.strip_suffix(".rhai")
}

/// Lets scripts import the modules of the call.
pub(crate) fn register(engine: &mut Engine) {
    engine.set_module_resolver(Resolver);
}

/// Runs `call`, in which scripts can import these modules.
pub(crate) fn with<T>(modules: &Arc<Modules>, call: impl FnOnce() -> T) -> T {
    struct Clear;
    impl Drop for Clear {
        fn drop(&mut self) {
            MODULES.take();
        }
    }
    if modules.is_empty() {
        return call();
    }
    let _clear = Clear;
    MODULES.set(Arc::clone(modules));
    call()
}

struct Resolver;

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        _: &Engine,
        _: Option<&str>,
        name: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let module = MODULES.with_borrow(|modules| modules.get(name).cloned());
        module.ok_or_else(|| EvalAltResult::ErrorModuleNotFound(name.to_owned(), position).into())
    }
}
