//! Every limit on a policy, with its unit in its name. The main limit is on operations, because it
//! is the same on every machine; the wall clock is a backstop for slow native calls. All limits are
//! explicit, since Rhai's defaults differ between debug and release builds.

/// Most operations of one call; about 20 ms of plain arithmetic.
pub const OPERATIONS_MAX: u64 = 200_000;
/// Longest wall-clock time of one call, in milliseconds.
pub const WALL_MS_MAX: u64 = 250;
/// Longest wall-clock time of one call that a test or a check watches, which is slower, in
/// milliseconds.
pub(crate) const WATCHED_WALL_MS_MAX: u64 = 4_000;
/// Most growth of the process during one call, in bytes. Rhai checks the size of the value that an
/// operation changes but not of the one that contains it (`map[key] = list` grows the map
/// unchecked), so its limits alone would let a call use gigabytes.
pub const GROWTH_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Operations between two checks of the wall clock and the memory.
pub(crate) const CHECK_OPERATIONS: u64 = 256;
/// Deepest nesting of function calls.
pub const CALL_LEVELS_MAX: usize = 16;
/// Deepest nesting of expressions outside of functions, in levels.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Deepest nesting of expressions within a function, in levels.
pub const FUNCTION_EXPRESSION_DEPTH_MAX: usize = 32;
/// Longest string, in bytes; the strings of one array or map count together.
pub const STRING_BYTES_MAX: usize = 16 * 1024;
/// Largest array, in elements; nested arrays count together.
pub const ARRAY_ELEMENTS_MAX: usize = 1_024;
/// Largest map, in properties; nested maps count together.
pub const MAP_PROPERTIES_MAX: usize = 512;
/// Most variables at one time.
pub const VARIABLES_MAX: usize = 256;
/// Most functions per file.
pub const FUNCTIONS_MAX: usize = 64;
/// Longest pattern of `matches`, in bytes.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Most lines that one call may `print` to the debug log.
pub const PRINT_LINES_MAX: u32 = 16;
/// Longest such line, in bytes.
pub const PRINT_LINE_BYTES_MAX: usize = 256;

/// Largest policy or test file, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Most files in lib/.
pub const LIBS_MAX: usize = 32;
/// Deepest chain of files in lib/ that import each other.
pub const IMPORT_DEPTH_MAX: usize = 8;
/// Most teams with their own policies.
pub const TEAMS_MAX: usize = 1_024;
/// Most reports of one load; further faults are reported once these are fixed.
pub const REPORTS_MAX: usize = 32;
/// Longest time that the tests of a set take before it is put in force, in milliseconds.
pub const REQUIRED_TESTS_MS_MAX: u64 = 5_000;
/// Longest report that is stored with a verdict, in bytes.
pub const FALLBACK_BYTES_MAX: usize = 2_048;
/// Longest source line in a report, in characters.
pub const REPORT_LINE_CHARS_MAX: usize = 160;

/// Most rotations in a context.
pub const CONTEXT_ROTATIONS_MAX: usize = 4_096;
/// Most people whose load is in a context.
pub const CONTEXT_PEOPLE_MAX: usize = 4_096;
/// Most recent changes in a context; the newest are kept.
pub const CONTEXT_CHANGES_MAX: usize = 64;

/// Most candidates that a policy is asked about.
pub const CANDIDATES_MAX: usize = 50;

/// Most labels by which a policy may ask for alerts.
pub const QUESTION_LABELS_MAX: usize = 8;
/// Longest time over which starts of alerts are counted, in milliseconds.
pub const COUNT_WINDOW_MS_MAX: u64 = tocsin_core::limits::STARTS_KEPT_MS;
/// How far alerts that began to fire are counted; more count as this many.
pub const COUNT_MAX: usize = 1_000;

/// Fewest alerts that a routing policy may wait for.
pub const WAIT_ALERTS_MIN: u32 = 2;
/// Most alerts that a routing policy may wait for: as many as the core keeps.
pub const WAIT_ALERTS_MAX: u32 = tocsin_core::limits::WAIT_COUNT_MAX;
/// Longest window in which a routing policy may wait, in milliseconds.
pub const WAIT_WINDOW_MS_MAX: u64 = tocsin_core::limits::WAIT_WINDOW_MS_MAX;
