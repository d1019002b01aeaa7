//! Checks the length of functions. The sources are formatted, so a function ends at the first
//! closing brace with the indentation of its first line, and so does one of a script in a string.

use crate::source::Source;

const FUNCTION_LINES_MAX: usize = 70;
/// A table of cases is data, and may be longer than code.
const TEST_LINES_MAX: usize = 170;

/// Functions over the limit, as `file:line: name has N lines`.
pub(crate) fn too_long(file: &Source) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let script_end = format!("{end}\"#");
        let length = lines[start..]
            .iter()
            .position(|it| **it == end || it.starts_with(&script_end))
            .map_or(1, |it| it + 1);
        let declared = lines[start..]
            .iter()
            .take(length)
            .position(|it| it.trim_end().ends_with(';'));
        let opened = lines[start..]
            .iter()
            .position(|it| it.trim_end().ends_with('{'));
        let has_body = match (declared, opened) {
            (Some(declared), Some(opened)) => opened <= declared,
            (None, Some(_)) => true,
            _ => false,
        };
        let most = if file.is_test(start) {
            TEST_LINES_MAX
        } else {
            FUNCTION_LINES_MAX
        };
        if has_body && length > most {
            found.push(format!(
                "{}:{}: {name} has {length} lines",
                file.path,
                start + 1
            ));
        }
    }
    found
}

/// The name of the function that begins on this line, if any.
fn function(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ")?.1;
    }
    for word in ["pub ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}
