//! The checkout that the commands work on, and how they run `cargo` in it.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// The root of the checkout.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

/// A command that we ran and that failed; our exit code is its own.
#[derive(Debug)]
pub struct Failed {
    what: String,
    status: ExitStatus,
}

impl Failed {
    /// The command's exit code; 1 when a signal ended it.
    pub fn exit_code(&self) -> ExitCode {
        let code = self.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        ExitCode::from(code.max(1))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` failed ({})", self.what, self.status)
    }
}

impl std::error::Error for Failed {}

impl Workspace {
    /// The workspace that this program belongs to; `cargo run` says where it is.
    pub fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&manifest).parent().context("the folder xtask lies in no workspace")?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the checkout.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// `cargo` with these arguments, in the root.
    pub fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(arguments);
        // `.cargo/config.toml` sets these for us; the inner cargo must see whether the caller set them.
        for (variable, injected) in [("LIBTORCH", self.path(".spillway/libtorch")), ("SQLX_OFFLINE", "true".into())] {
            if env::var_os(variable).is_some_and(|value| Path::new(&value) == injected) {
                command.env_remove(variable);
            }
        }
        command
    }

    /// The packages with what they depend on.
    pub fn metadata(&self) -> Result<Metadata> {
        let mut command = MetadataCommand::new();
        command.current_dir(&self.root);
        command.exec().context("cannot read the workspace with `cargo metadata`")
    }
}

/// Says what is run, runs it, and fails when it fails.
pub fn run(mut command: Command) -> Result<()> {
    let what = shown(&command);
    println!("> {what}");
    let status = command.status().with_context(|| format!("cannot run `{what}`"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failed { what, status }.into())
}

/// Runs a command whose arguments are not worth showing, under a name of ours.
pub fn run_quietly(mut command: Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start the {what}"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failed { what: what.to_owned(), status }.into())
}

/// The command as one would type it, without the program's folder.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
