//! Every limit on a policy, with its unit in its name. The operations decide, because they are
//! the same on every machine; the wall clock is a backstop for slow native calls. What Rhai
//! would take as a default differs between debug and release builds, so nothing is left to it.

/// Operations of one call; about 20 ms of plain arithmetic.
pub const OPERATIONS_MAX: u64 = 200_000;
/// Wall clock of one call, in milliseconds.
pub const WALL_MS_MAX: u64 = 250;
/// What the process may grow by during one call, in bytes. Rhai looks at the size of the value
/// that an operation touches and not of the one around it (`map[key] = list` grows the map
/// unseen), so its limits alone let a call take gigabytes.
pub const GROWTH_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Operations between two looks at the wall clock and the memory.
pub(crate) const CHECK_OPERATIONS: u64 = 256;
/// Functions that call each other, counted in calls.
pub const CALL_LEVELS_MAX: usize = 16;
/// Nested expressions outside of functions, in levels.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Nested expressions within a function, in levels.
pub const FUNCTION_EXPRESSION_DEPTH_MAX: usize = 32;
/// Longest string, in bytes; the strings of one array or map count together.
pub const STRING_BYTES_MAX: usize = 16 * 1024;
/// Largest array, in elements; nested arrays count together.
pub const ARRAY_ELEMENTS_MAX: usize = 1_024;
/// Largest map, in properties; nested maps count together.
pub const MAP_PROPERTIES_MAX: usize = 512;
/// Variables at one time.
pub const VARIABLES_MAX: usize = 256;
/// Functions of one file.
pub const FUNCTIONS_MAX: usize = 64;
/// Longest pattern of `matches`, in bytes.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Lines that one call may `print` into the debug log.
pub const PRINT_LINES_MAX: u32 = 16;
/// Longest such line, in bytes.
pub const PRINT_LINE_BYTES_MAX: usize = 256;

/// Largest policy or test file, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Teams that have policies of their own.
pub const TEAMS_MAX: usize = 1_024;
/// Reports of one load; further faults wait until these are mended.
pub const REPORTS_MAX: usize = 32;
/// Longest report that is stored with a verdict, in bytes.
pub const FALLBACK_BYTES_MAX: usize = 2_048;
/// Longest line of source that a report shows, in characters.
pub const REPORT_LINE_CHARS_MAX: usize = 160;

/// Rotations that a context names.
pub const CONTEXT_ROTATIONS_MAX: usize = 4_096;
/// People whose load a context names.
pub const CONTEXT_PEOPLE_MAX: usize = 4_096;
/// Recent changes that a context names, the newest first.
pub const CONTEXT_CHANGES_MAX: usize = 64;

/// Fewest alerts that a routing policy may wait for.
pub const WAIT_ALERTS_MIN: u32 = 2;
/// Most alerts that a routing policy may wait for.
pub const WAIT_ALERTS_MAX: u32 = 10_000;
/// Longest window in which a routing policy may wait, in milliseconds.
pub const WAIT_WINDOW_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
