//! Parses the dependency lists in ARCHITECTURE.md: blocks that begin with
//! ` ```dependencies FOLDER `.
//!
//! A line is `module -> module, module`, or `module ->` for a module that uses none. Where
//! `folder/module` is listed, the folder's modules count separately. `cycle: module, module` is a
//! known cycle; the text beside the block says why.

use std::collections::BTreeSet;

use super::Dependencies;

pub(crate) struct Listed {
    /// The folder whose modules it lists.
    pub(crate) root: String,
    /// Every module with the modules that it may use.
    pub(crate) dependencies: Dependencies,
    /// Known cycles.
    pub(crate) cycles: BTreeSet<BTreeSet<String>>,
}

impl Listed {
    /// The folders whose modules count separately.
    pub(crate) fn divided(&self) -> BTreeSet<String> {
        let names = self.dependencies.keys();
        let folder = |it: &String| Some(it.split_once('/')?.0.to_owned());
        names.filter_map(folder).collect()
    }
}

pub(crate) fn lists(document: &str) -> Vec<Listed> {
    let mut found = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(root) = line.strip_prefix("```dependencies ") {
            let block = lines.by_ref().take_while(|it| *it != "```");
            found.push(list(root.trim(), block));
        }
    }
    found
}

fn list<'a>(root: &str, lines: impl Iterator<Item = &'a str>) -> Listed {
    let mut listed = Listed {
        root: root.to_owned(),
        dependencies: Dependencies::new(),
        cycles: BTreeSet::new(),
    };
    for line in lines.filter(|it| !it.trim().is_empty()) {
        if let Some(cycle) = line.strip_prefix("cycle:") {
            listed.cycles.insert(names(cycle));
            continue;
        }
        let (module, to) = line.split_once("->").unwrap_or_else(|| {
            panic!("ARCHITECTURE.md: `{line}` is not `module -> module, module` ({root})")
        });
        let before = listed
            .dependencies
            .insert(module.trim().to_owned(), names(to));
        assert!(
            before.is_none(),
            "ARCHITECTURE.md lists {module} twice ({root})"
        );
    }
    listed
}

fn names(text: &str) -> BTreeSet<String> {
    let names = text.split(',').map(|it| it.trim().to_owned());
    names.filter(|it| !it.is_empty()).collect()
}
