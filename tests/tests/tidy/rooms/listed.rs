//! The lists of arrows in ARCHITECTURE.md: blocks that begin with ` ```arrows FOLDER `.
//!
//! A line is `room -> room, room`, or `room ->` for a room that names none. `folder/room` divides a
//! folder into rooms. `circle: room, room` is a circle that is known; the text beside the block
//! says why.

use std::collections::BTreeSet;

use super::Arrows;

pub(crate) struct Listed {
    /// The folder whose rooms it lists.
    pub(crate) root: String,
    /// Every room with what it may name.
    pub(crate) arrows: Arrows,
    /// The circles that are known.
    pub(crate) circles: BTreeSet<BTreeSet<String>>,
}

impl Listed {
    /// The folders whose files and folders are rooms themselves.
    pub(crate) fn divided(&self) -> BTreeSet<String> {
        let rooms = self.arrows.keys();
        let folder = |it: &String| Some(it.split_once('/')?.0.to_owned());
        rooms.filter_map(folder).collect()
    }
}

pub(crate) fn lists(document: &str) -> Vec<Listed> {
    let mut found = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(root) = line.strip_prefix("```arrows ") {
            let block = lines.by_ref().take_while(|it| *it != "```");
            found.push(list(root.trim(), block));
        }
    }
    found
}

fn list<'a>(root: &str, lines: impl Iterator<Item = &'a str>) -> Listed {
    let mut listed = Listed {
        root: root.to_owned(),
        arrows: Arrows::new(),
        circles: BTreeSet::new(),
    };
    for line in lines.filter(|it| !it.trim().is_empty()) {
        if let Some(circle) = line.strip_prefix("circle:") {
            listed.circles.insert(names(circle));
            continue;
        }
        let (room, to) = line.split_once("->").unwrap_or_else(|| {
            panic!("ARCHITECTURE.md: `{line}` is not `room -> room, room` ({root})")
        });
        let before = listed.arrows.insert(room.trim().to_owned(), names(to));
        assert!(
            before.is_none(),
            "ARCHITECTURE.md lists {room} twice ({root})"
        );
    }
    listed
}

fn names(text: &str) -> BTreeSet<String> {
    let names = text.split(',').map(|it| it.trim().to_owned());
    names.filter(|it| !it.is_empty()).collect()
}
