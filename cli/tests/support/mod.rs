//! The program as a user runs it: in a folder of its own, without the caller's variables.

#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// How a run of the program ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `spillway` in `folder`.
pub fn spillway(folder: &Path, arguments: &[&str]) -> Run {
    let output = command(folder, arguments).output().expect("the program was built with its tests");
    Run::from(output)
}

/// The command, for a test that wants more of it.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command_of(Path::new(env!("CARGO_BIN_EXE_spillway")), folder);
    command.args(arguments);
    command
}

/// A command for `program`, in `folder`, without any `SPILLWAY_…` variable of the caller's.
pub fn command_of(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("SPILLWAY_") {
            command.env_remove(variable);
        }
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The sweeps of the repository.
pub fn sweeps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sweeps")
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}
