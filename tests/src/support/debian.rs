//! Programs from Debian packages, unpacked into the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::paths;

/// A program: the installed one, else the one from this package.
///
/// # Errors
/// When it is not available here, with the reason.
pub(super) fn program(package: &str, name: &str) -> Result<PathBuf, String> {
    let installed = Path::new("/usr/bin").join(name);
    if installed.is_file() {
        return Ok(installed);
    }
    let unpacked = unpacked(package)?.join("usr/bin").join(name);
    if unpacked.is_file() {
        Ok(unpacked)
    } else {
        Err(format!("{package} does not contain {name}"))
    }
}

/// The folder with a package's shared libraries.
///
/// # Errors
/// When they are not available here, with the reason.
pub(super) fn libraries(package: &str) -> Result<PathBuf, String> {
    let lib = unpacked(package)?.join("usr/lib");
    let folders = fs::read_dir(&lib).map_err(|error| format!("{}: {error}", lib.display()))?;
    let mut folders = folders.filter_map(|it| it.ok().map(|it| it.path()));
    let found = folders.find(|it| it.to_string_lossy().ends_with("-linux-gnu"));
    found.ok_or_else(|| format!("{package} contains no libraries"))
}

/// A package's root folder; downloads the package if necessary.
fn unpacked(package: &str) -> Result<PathBuf, String> {
    let dir = paths::tools().join("debian").join(package);
    let root = dir.join("root");
    if root.is_dir() {
        return Ok(root);
    }
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let lock = lock(&dir)?;
    if !root.is_dir() {
        unpack(package, &dir)?;
    }
    drop(lock);
    Ok(root)
}

/// A command for a program that needs its data under `/usr/share`: for an unpacked one, the
/// package's folder is mounted over the real one, in a private mount namespace.
///
/// # Errors
/// When this machine does not allow such a namespace.
pub(super) fn with_its_data(program: &Path) -> Result<Command, String> {
    let share = program.ancestors().nth(2).unwrap_or(program).join("share");
    if share == Path::new("/usr/share") {
        return Ok(Command::new(program));
    }
    let lay = format!(
        "mount -t overlay overlay -o lowerdir={}:/usr/share /usr/share",
        share.display()
    );
    let inside = |then: &str| {
        let mut command = Command::new("unshare");
        command.args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            &format!("{lay} && {then}"),
        ]);
        command
    };
    run(&mut inside("true")).map_err(|why| format!("cannot mount its data: {why}"))?;
    let mut command = inside("exec \"$0\" \"$@\"");
    command.arg(program);
    Ok(command)
}

/// Tests run as several processes: one downloads, the others wait for it.
pub(super) fn lock(dir: &Path) -> Result<File, String> {
    let lock = File::create(dir.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    Ok(lock)
}

fn unpack(package: &str, dir: &Path) -> Result<(), String> {
    let download = || {
        run(Command::new("apt-get")
            .args(["download", package])
            .current_dir(dir))
    };
    if download().is_err() {
        // A new machine has no package lists yet; only root can download them.
        let _lists = run(Command::new("apt-get").arg("update"));
        download()?;
    }
    let archive = fs::read_dir(dir)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| entry.ok().map(|it| it.path()))
        .find(|path| path.extension().is_some_and(|it| it == "deb"))
        .ok_or_else(|| format!("apt-get download {package} left no archive"))?;
    let fresh = dir.join("fresh");
    run(Command::new("dpkg").arg("-x").arg(archive).arg(&fresh))?;
    fs::rename(fresh, dir.join("root")).map_err(|error| error.to_string())
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started or fails; the text has its output.
pub(super) fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{command:?} failed: {}",
        errors.lines().last().unwrap_or_default()
    ))
}
