//! The program, run in a folder of its own.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

/// A folder in which the program runs.
pub(crate) struct Folder(pub(crate) PathBuf);

/// The output of the program, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) is_success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("gateway-cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    pub(crate) fn run(&self, line: &str) -> Printed {
        self.run_with(line, &[], "")
    }

    pub(crate) fn run_with(&self, line: &str, env: &[(&str, &str)], input: &str) -> Printed {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that reads no input may have ended already.
        let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
        let ended = program.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Printed {
            is_success: ended.status.success(),
            out: text(ended.stdout),
            err: text(ended.stderr),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Printed {
    /// Returns the standard output of a successful run.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert!(self.is_success, "{self:?}");
        self.out
    }

    /// Returns the standard error of a failed run.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert!(!self.is_success, "{self:?}");
        self.err
    }
}
