//! Checks the program's system calls, as traced by strace: the data of a request must be written to
//! the store's log and synced before the first byte of the response is sent.

use std::collections::HashMap;

/// The log of sled, at the end of its path.
const LOG: &str = "/db>";

/// One completed call.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    /// Its file descriptor, as strace shows it.
    on: String,
    /// Its line, without the process id.
    text: String,
    /// The lines where it began and ended.
    begin: usize,
    end: usize,
    /// Whether it succeeded.
    ok: bool,
}

/// Checks the rule for each of these marks, which appear in the requests and in what the store
/// writes for them. Returns how many were checked.
///
/// # Errors
/// The first request that got its response too early, or is not in the trace.
pub(super) fn synced_before_answered(trace: &str, marks: &[String]) -> Result<usize, String> {
    let calls = read(trace);
    for mark in marks {
        held(&calls, mark)?;
    }
    Ok(marks.len())
}

fn held(calls: &[Call], mark: &str) -> Result<(), String> {
    let named = |it: &&Call| it.text.contains(mark);
    let reads = |it: &&Call| ["read", "readv", "recvfrom"].contains(&it.name.as_str());
    let asked = calls.iter().filter(reads).find(named);
    let asked = asked.ok_or_else(|| format!("no request with {mark} was read"))?;
    let writes = |it: &&Call| ["write", "writev", "sendto", "sendmsg"].contains(&it.name.as_str());
    let answer =
        |it: &&Call| it.on == asked.on && it.end > asked.end && it.text.contains("HTTP/1.1 2");
    let answered = calls.iter().filter(writes).find(answer);
    let answered = answered.ok_or_else(|| format!("{mark} was not answered with success"))?;
    let logs = |it: &&Call| it.name.starts_with("pwrite") && it.on.ends_with(LOG);
    let logged = calls.iter().filter(logs).find(named);
    let logged = logged.ok_or_else(|| format!("{mark} was not written to the log"))?;
    let syncs =
        |it: &&Call| ["fsync", "fdatasync"].contains(&it.name.as_str()) && it.on.ends_with(LOG);
    let between = |it: &&Call| it.ok && it.begin > logged.end && it.end < answered.begin;
    match calls.iter().filter(syncs).find(between) {
        Some(_) => Ok(()),
        None => Err(format!(
            "{mark} was answered in line {} without a sync after it was written in line {}",
            answered.begin, logged.end
        )),
    }
}

/// The calls, in the order of their ends. Calls that were split by other threads are joined.
fn read(trace: &str) -> Vec<Call> {
    let mut begun: HashMap<&str, (usize, String)> = HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((process, rest)) = line.trim_start().split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(process, (at, head.to_owned()));
        } else if let Some(tail) = rest.strip_prefix("<... ") {
            let Some((begin, head)) = begun.remove(process) else {
                continue;
            };
            let tail = tail.split_once("resumed>").map_or("", |it| it.1);
            calls.extend(call(format!("{head}{tail}"), begin, at));
        } else {
            calls.extend(call(rest.to_owned(), at, at));
        }
    }
    calls
}

fn call(text: String, begin: usize, end: usize) -> Option<Call> {
    let (name, args) = text.split_once('(')?;
    let on = match args.find('>') {
        Some(close) => &args[..=close],
        None => return None,
    };
    let ok = text
        .rsplit_once(" = ")
        .is_some_and(|it| !it.1.starts_with('-'));
    Some(Call {
        name: name.to_owned(),
        on: on.to_owned(),
        ok,
        begin,
        end,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "\
7 recvfrom(9<socket:[5]>, \"POST / mark-1\", 99) = 13
8 pwrite64(4</d/db>, \"..mark-1..\", 10, 0 <unfinished ...>
7 recvfrom(10<socket:[6]>, \"GET /\", 99) = 5
8 <... pwrite64 resumed>) = 10
8 fdatasync(4</d/db> <unfinished ...>
7 sendto(10<socket:[6]>, \"HTTP/1.1 200 OK\", 15) = 15
8 <... fdatasync resumed>) = 0
7 writev(9<socket:[5]>, [\"HTTP/1.1 200 OK\"], 1) = 15";

    fn verdict(trace: &str) -> Result<usize, String> {
        synced_before_answered(trace, &["mark-1".to_owned()])
    }

    #[test]
    fn a_request_that_is_answered_after_its_sync_is_held() {
        assert_eq!(verdict(SOUND), Ok(1));
    }

    #[test]
    fn an_answer_without_its_sync_is_reported() {
        let lines: Vec<&str> = SOUND.lines().collect();
        let order = |of: &[usize]| {
            of.iter()
                .map(|it| lines[*it])
                .collect::<Vec<_>>()
                .join("\n")
        };
        let cases = [
            ("never synced", order(&[0, 1, 3, 7])),
            ("answered while it syncs", order(&[0, 1, 3, 4, 7, 6])),
            ("synced before it is written", order(&[0, 4, 6, 1, 3, 7])),
            (
                "the sync failed",
                SOUND.replace("resumed>) = 0", "resumed>) = -1 EIO"),
            ),
            (
                "another file is synced",
                SOUND.replace("sync(4</d/db>", "sync(5</d/other>"),
            ),
        ];
        for (what, trace) in cases {
            let found = verdict(&trace);
            assert!(
                found.is_err_and(|it| it.contains("without a sync")),
                "{what}"
            );
        }
        assert!(verdict(&order(&[0, 1, 3, 4, 6])).is_err_and(|it| it.contains("not answered")));
    }
}
