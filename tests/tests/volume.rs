//! A volume of a few megabytes that a test can fill.
//!
//! Only root may mount one, so the test runs again, in a process that is root of a user namespace
//! (`unshare`) and whose temporary folder is the volume. The volume ends with the process.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::Command,
};

/// The variable with the folder of the volume, in the process that has one.
const FOLDER: &str = "GATEWAY_TEST_VOLUME";
/// The exit code of the process if no volume can be mounted.
const UNMOUNTED: i32 = 77;

/// The small volume that is this process's temporary folder.
pub(crate) struct Volume(PathBuf);

impl Volume {
    /// Returns the volume in the process that has one. In the test's first process it runs the test
    /// `name` again in such a process, fails as that does, and returns `None`; it prints a line and
    /// returns `None` if no volume can be mounted.
    pub(crate) fn of(name: &str, megabytes: u32) -> Option<Self> {
        if let Some(folder) = std::env::var_os(FOLDER) {
            return Some(Self(folder.into()));
        }
        let folder = std::env::temp_dir().join(format!("gateway-volume-{:08x}", fastrand::u32(..)));
        fs::create_dir_all(&folder).unwrap();
        let mount = format!(
            "mount -t tmpfs -o size={megabytes}m none \"$TMPDIR\" || exit {UNMOUNTED}; exec \"$@\""
        );
        let ran = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", &mount, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(FOLDER, &folder)
            .env("TMPDIR", &folder)
            // The files that SQLite sorts with.
            .env("SQLITE_TMPDIR", std::env::temp_dir())
            .output();
        fs::remove_dir(&folder).unwrap();
        let ran = match ran {
            Ok(ran) => ran,
            Err(error) => {
                eprintln!("not run: no `unshare`: {error}");
                return None;
            }
        };
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        if ran.status.code() == Some(UNMOUNTED) || said.starts_with("unshare: ") {
            eprintln!("not run: no volume can be mounted here: {said}");
            return None;
        }
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
        None
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Fills the volume up to `left` bytes.
    pub(crate) fn fill(&self, left: u64) {
        let mut ballast = File::options().append(true).create(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.checked_sub(left).unwrap()).unwrap();
    }

    /// Removes this number of bytes of ballast.
    pub(crate) fn make_room(&self, bytes: u64) {
        let ballast = File::options().append(true).open(self.ballast()).unwrap();
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.checked_sub(bytes).unwrap()).unwrap();
    }

    /// Writes this number of bytes of ballast to the volume.
    pub(crate) fn load(&self, bytes: u64) {
        fs::write(self.ballast(), vec![1; usize::try_from(bytes).unwrap()]).unwrap();
    }
}
