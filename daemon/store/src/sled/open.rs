//! Opens a store: locks the folder, checks the format, rebuilds the indexes.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::SledStore;
use super::disk::{Disk, Found, Writes};
use super::keys;
use super::read;
use super::state::{Counters, State};
use super::value::{self, Delivery};
use crate::feed::Window;
use crate::{Position, StoreError};

/// The current format. 1: one value per event. 2: adds chunks. 3: adds the last delivery's number
/// and the feed's position to the counters.
pub(super) const FORMAT: u32 = 3;
/// The size of sled's cache, in bytes. On an otherwise idle machine, eight times as much handled
/// 6 % more alerts and used 44 % more memory per alert (docs/performance.md).
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// sled's segment size, in bytes; fixed for the life of a store. A page that is larger than a
/// quarter of it is stored in a separate file that is written without sync, and a page has up to
/// twenty entries of [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX) and their keys.
const SEGMENT_BYTES: usize = 1024 * 1024;
const _: () = assert!(20 * (crate::VALUE_BYTES_MAX + 2 * crate::KEY_BYTES_MAX) < SEGMENT_BYTES / 4);
/// How often opening a log that sled still has locked is retried; its threads release it late.
const LOCK_TRIES_MAX: usize = 200;
/// The wait between two attempts.
const LOCK_WAIT: Duration = Duration::from_millis(10);

pub(super) fn open(path: &Path) -> Result<SledStore, StoreError> {
    let io = |verb: &str, error: io::Error| {
        let action = format!("{verb} the store at {}", path.display());
        StoreError::Io {
            action,
            reason: error.to_string(),
        }
    };
    fs::create_dir_all(path).map_err(|error| io("make the folder of", error))?;
    let lock = lock(path)?;
    let db = open_sled(path)?;
    let log = File::options().read(true).write(true).open(path.join("db"));
    let log = log.map_err(|error| io("open the log of", error))?;
    let poison = OnceLock::new();
    let disk = Disk {
        db,
        log,
        _lock: lock,
        path: path.to_owned(),
        poison,
        before: RwLock::default(),
    };
    check_format(&disk)?;
    sync_folders(path).map_err(|error| io("sync the folder of", error))?;
    let state = rebuild(&disk)?;
    let feed = Window::begin(Position(state.counters.position));
    Ok(SledStore {
        state: RwLock::new(state),
        disk,
        feed: Mutex::new(feed),
    })
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join("lock");
    let failed = |error: io::Error| StoreError::Io {
        action: format!("lock {}", name.display()),
        reason: error.to_string(),
    };
    let options = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name);
    let file = options.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use(path)),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn in_use(path: &Path) -> StoreError {
    StoreError::InUse {
        path: path.display().to_string(),
    }
}

fn open_sled(path: &Path) -> Result<sled::Db, StoreError> {
    // No flusher: each group is synced before it returns, and a second thread that syncs would
    // only compete for the disk.
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    let failed = |reason: String| StoreError::Io {
        action: format!("open the store at {}", path.display()),
        reason: format!("{reason}; restore a backup if a restart does not help"),
    };
    for _ in 0..LOCK_TRIES_MAX {
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(sled::Error::Io(error))) if error.to_string().contains("acquire lock") => {
                std::thread::sleep(LOCK_WAIT);
            }
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("sled panicked on its contents".to_owned())),
        }
    }
    Err(in_use(path))
}

fn check_format(disk: &Disk) -> Result<(), StoreError> {
    let Some(bytes) = disk.get(keys::FORMAT)? else {
        if !disk.db.is_empty() {
            let reason = "it contains something else, or is damaged".to_owned();
            let what = format!("the store at {}", disk.path.display());
            return Err(StoreError::Corrupt { what, reason });
        }
        let format = FORMAT.to_be_bytes().to_vec();
        let writes = Writes::from([(keys::FORMAT.to_vec(), Some(format.into()))]);
        disk.write(writes, Found::new())?;
        return disk.sync();
    };
    let found = <[u8; 4]>::try_from(&bytes[..]).map_err(|_| read::unreadable(keys::FORMAT))?;
    let found = u32::from_be_bytes(found);
    if found > FORMAT {
        let path = disk.path.display().to_string();
        return Err(StoreError::NewerFormat {
            path,
            found,
            known: FORMAT,
        });
    }
    Ok(())
}

/// A new file survives a power cut only if its folder has been synced.
fn sync_folders(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    match fs::canonicalize(path)?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn rebuild(disk: &Disk) -> Result<State, StoreError> {
    let counters = match disk.get(keys::COUNTERS)? {
        Some(bytes) => Counters::read(&bytes).ok_or_else(|| read::unreadable(keys::COUNTERS))?,
        None => Counters::default(),
    };
    let mut state = State::new(counters);
    for entry in read::all(disk, keys::OUTBOX) {
        let (key, bytes) = entry?;
        let name = keys::read_outbox(&key).ok_or_else(|| read::unreadable(&key))?;
        let row = Delivery::read(&bytes, || crate::bytes::name_of(&name))?;
        // Before format 3 the numbers were only in the rows.
        let seq = &mut state.counters.seq;
        *seq = name.seq.max(*seq);
        state
            .lanes(name.class)
            .put(&name, row.not_before, row.coalesce);
    }
    for entry in read::all(disk, keys::COMMAND) {
        let (key, bytes) = entry?;
        state.expiry(&key, None, value::command_expires(&bytes));
    }
    for entry in read::all(disk, keys::ROW) {
        let (key, bytes) = entry?;
        let what = || format!("row {}", key.escape_ascii());
        state.expiry(&key, None, value::row_head(&bytes, what)?.expires_at);
    }
    Ok(state)
}
