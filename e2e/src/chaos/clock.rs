//! Wall clocks that are wrong, for one program each.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

/// What stands before the C library in a program with a wrong clock.
const SOURCE: &str = include_str!("skew.c");

/// A library that makes a program's wall clock wrong.
#[derive(Debug, Clone)]
pub struct WrongClock {
    library: PathBuf,
}

impl WrongClock {
    /// Builds the library in `folder` with this machine's C compiler, which Rust links with too.
    ///
    /// # Errors
    /// When there is no `cc`, or it fails, with what it says.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let (source, library) = (folder.join("skew.c"), folder.join("libskew.so"));
        std::fs::write(&source, SOURCE)?;
        let compiler = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).output();
        let output = compiler.context("cannot run `cc`, which builds the library of wrong clocks")?;
        ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Self { library })
    }

    /// Lets a program believe that it is `seconds` later than it is.
    pub fn skew(&self, command: &mut Command, seconds: i64) {
        if seconds != 0 {
            command.env("LD_PRELOAD", &self.library).env("CLOCK_SKEW_SECS", seconds.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_of(command: &mut Command) -> i64 {
        let output = command.arg("+%s").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }

    #[test]
    fn program_with_a_wrong_clock_believes_another_time() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = WrongClock::build(folder.path()).unwrap();

        for skew in [-600, 600] {
            let mut date = Command::new("date");
            wrong.skew(&mut date, skew);
            let off = seconds_of(&mut date) - seconds_of(&mut Command::new("date"));
            // Some seconds may pass between the two.
            assert!((off - skew).abs() < 300, "{skew}: {off}");
        }
    }
}
