//! `python`: the Python package, checked in an environment of its own under `target/python`.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::workspace::{self, Workspace};

/// The variable that names the interpreter of the environment to whole-cluster tests.
pub const TEST_PYTHON: &str = "SPILLWAY_TEST_PYTHON";
/// The variable under which a machine without Python, or without a package index, fails the tests instead of passing over them.
const REQUIRE: &str = "SPILLWAY_REQUIRE_PYTHON";
/// The oldest version that the package runs on: `requires-python` in its manifest.
const OLDEST: (u32, u32) = (3, 10);
/// The file in the environment that says what was installed into it.
const RECEIPT: &str = "installed.txt";

/// An environment with the package, and everything that it is tested with.
#[derive(Debug)]
pub struct Environment {
    folder: PathBuf,
}

/// Checks the package; with `generate`, writes the code that comes from the protos first.
pub fn run(workspace: &Workspace, generate: bool) -> Result<()> {
    // Who asks for it by name is not served by silence.
    let environment = Environment::prepare(workspace).map_err(Unprepared::into_error)?;
    if generate {
        workspace::run(environment.python(workspace, ["generate.py"]))?;
    }
    environment.check(workspace)
}

/// The environment for tests, its package checked; without Python or an index one line and `None`, unless they are required.
pub fn for_tests(workspace: &Workspace) -> Result<Option<Environment>> {
    match Environment::prepare(workspace) {
        Ok(environment) => {
            environment.check(workspace)?;
            Ok(Some(environment))
        }
        Err(Unprepared::Machine(reason)) if env::var_os(REQUIRE).is_none() => {
            eprintln!("SKIPPED  the tests of the Python package: {reason}; {REQUIRE}=1 makes this an error");
            Ok(None)
        }
        Err(unprepared) => Err(unprepared.into_error()),
    }
}

/// Why there is no environment.
#[derive(Debug)]
enum Unprepared {
    /// The machine lacks something; nothing of ours is wrong.
    Machine(String),
    /// Something of ours is wrong.
    Ours(anyhow::Error),
}

impl Unprepared {
    fn into_error(self) -> anyhow::Error {
        match self {
            Self::Machine(reason) => anyhow::anyhow!("the Python package cannot be tested: {reason}"),
            Self::Ours(error) => error,
        }
    }
}

impl From<anyhow::Error> for Unprepared {
    fn from(error: anyhow::Error) -> Self {
        Self::Ours(error)
    }
}

impl Environment {
    /// Makes the environment, or finds it as it should be, and installs the package as it is now.
    fn prepare(workspace: &Workspace) -> Result<Self, Unprepared> {
        let target = workspace.metadata()?.target_directory.into_std_path_buf();
        let environment = Self { folder: target.join("python") };
        let version = interpreter_version().map_err(Unprepared::Machine)?;
        let requirements = workspace.path("python/requirements.txt");
        let listed = fs::read_to_string(&requirements).context("cannot read python/requirements.txt")?;
        let receipt = format!("{version}\n{listed}");
        if fs::read_to_string(environment.folder.join(RECEIPT)).ok().as_ref() != Some(&receipt) {
            environment.create(&requirements)?;
            fs::write(environment.folder.join(RECEIPT), receipt).context("cannot write into target/python")?;
        }
        // Without an index: all that it needs is there. As a user would, so that what is missing in the package shows.
        let mut install =
            environment.pip(["install", "--quiet", "--force-reinstall", "--no-deps", "--no-build-isolation"]);
        install.arg(workspace.path("python"));
        workspace::run_quietly(install, "installation of the Python package")?;
        Ok(environment)
    }

    fn create(&self, requirements: &Path) -> Result<(), Unprepared> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))?;
        }
        println!("installing python/requirements.txt into {}", self.folder.display());
        let mut venv = Command::new(interpreter());
        venv.args(["-m", "venv"]).arg(&self.folder);
        last_words(venv).map_err(|words| {
            Unprepared::Machine(format!("`python3 -m venv` fails ({words}); Debian has it in python3-venv"))
        })?;
        let mut install = self.pip(["install", "--quiet", "--retries", "2", "--requirement"]);
        install.arg(requirements);
        last_words(install)
            .map_err(|words| Unprepared::Machine(format!("pip cannot install python/requirements.txt ({words})")))
    }

    /// The interpreter.
    pub fn interpreter(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Checks generated code, style and types, and runs the tests that need no cluster.
    fn check(&self, workspace: &Workspace) -> Result<()> {
        let types = self.folder.join("mypy").display().to_string();
        let commands: [&[&str]; 5] = [
            &["generate.py", "--check"],
            &["-m", "ruff", "check", "--no-cache"],
            &["-m", "ruff", "format", "--no-cache", "--check"],
            &["-m", "mypy", "--cache-dir", &types],
            &["-m", "pytest", "-p", "no:cacheprovider", "--ignore", "tests/live"],
        ];
        commands.into_iter().try_for_each(|arguments| workspace::run(self.python(workspace, arguments)))
    }

    /// The interpreter with these arguments, in the package's folder.
    fn python(&self, workspace: &Workspace, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(self.interpreter());
        // Nothing of what is compiled lands in the checkout.
        command.current_dir(workspace.path("python")).env("PYTHONDONTWRITEBYTECODE", "1").args(arguments);
        command
    }

    fn pip(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(self.interpreter());
        command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]).args(arguments);
        command
    }
}

/// The interpreter that makes the environment.
fn interpreter() -> String {
    env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// The version of the interpreter, if it is new enough; else what is wrong.
fn interpreter_version() -> Result<String, String> {
    let name = interpreter();
    let mut command = Command::new(&name);
    command.args(["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]);
    let output = command.output().map_err(|error| format!("`{name}` does not run ({error})"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let version = parse_version(&printed).ok_or_else(|| format!("`{name}` does not say its version"))?;
    if version < OLDEST {
        return Err(format!("`{name}` is {}.{}, and {}.{} the oldest", version.0, version.1, OLDEST.0, OLDEST.1));
    }
    Ok(format!("{name} {}.{}", version.0, version.1))
}

fn parse_version(printed: &str) -> Option<(u32, u32)> {
    let (major, minor) = printed.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Runs a command and keeps what it prints; its last line when it fails.
fn last_words(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let words = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let last = words.iter().find_map(|text| text.lines().rfind(|line| !line.trim().is_empty()));
    Err(last.unwrap_or("it says nothing").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(parse_version("3 9\n"), Some((3, 9)));
        assert_eq!(parse_version("Python 3.9"), None);
        assert!(parse_version("3 9").unwrap() < OLDEST && parse_version("3 12").unwrap() > OLDEST);
    }

    #[test]
    fn a_command_that_fails_leaves_its_last_words() {
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo first >&2; echo last >&2; echo out; exit 3"]);
        let mut silent = Command::new("sh");
        silent.args(["-c", "exit 3"]);

        assert_eq!(last_words(failing), Err("last".to_owned()));
        assert_eq!(last_words(silent), Err("it says nothing".to_owned()));
        assert_eq!(last_words(Command::new("true")), Ok(()));
    }
}
