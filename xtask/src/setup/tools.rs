//! The programs that must be on the machine already, and the command that installs each.

use std::{env, ffi::OsString, process::Command};

use localdb::ServerBinaries;

/// What a build and a run need.
pub const FOR_BUILD: &[Tool] = &[Tool::Compiler, Tool::Postgres];

/// What a build, a run and the download of libtorch need.
pub const FOR_BUILD_AND_DOWNLOAD: &[Tool] = &[Tool::Compiler, Tool::Postgres, Tool::Pip];

/// A program of this machine's that set-up relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A C++ compiler, for the bindings to libtorch.
    Compiler,
    /// Python with pip, for the download of libtorch.
    Pip,
    /// The PostgreSQL server.
    Postgres,
}

impl Tool {
    /// One line on what was found, or one line on what is missing and how to get it.
    pub fn look(self) -> Result<String, String> {
        match self {
            Self::Compiler => {
                // The compiler that the `cc` crate will choose.
                let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
                first_line(compiler.clone(), &["--version"])
                    .map(|version| format!("C++ compiler: {version}"))
                    .ok_or_else(|| {
                        format!(
                            "C++ compiler: `{}` does not run; install one with `apt-get install g++` (Debian, Ubuntu), \
                             `dnf install gcc-c++` (Fedora) or `xcode-select --install` (macOS)",
                            compiler.to_string_lossy()
                        )
                    })
            }
            Self::Pip => {
                first_line("python3".into(), &["-m", "pip", "--version"]).map(|version| format!("pip: {version}")).ok_or_else(|| {
                    "pip: `python3 -m pip` does not run; install it with `apt-get install python3-pip` (Debian, Ubuntu), \
                     `dnf install python3-pip` (Fedora) or `brew install python` (macOS)"
                        .to_owned()
                })
            }
            Self::Postgres => match ServerBinaries::find() {
                Ok(server) => Ok(format!("PostgreSQL {} in {}", server.version(), server.directory().display())),
                Err(error) => Err(format!("PostgreSQL: {error}")),
            },
        }
    }
}

/// The first line that the program prints, when it runs and succeeds.
fn first_line(program: OsString, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
