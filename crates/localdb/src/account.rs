//! The user that the server runs as: ourselves, or an unprivileged one when we are root, which PostgreSQL refuses.

use std::{
    env, fs,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use crate::Error;

/// Users that may own a server started by root, in order of preference.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Whose rights the server programs run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// The caller's own.
    Caller,
    /// Another user's, because the caller is root.
    Other { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// The caller's account, or an unprivileged one when the caller is root.
    pub(crate) fn choose() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Caller);
        }
        UNPRIVILEGED.iter().find_map(|name| look_up(name)).ok_or(Error::NoUnprivilegedUser)
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Caller => "the caller",
            Self::Other { name, .. } => name,
        }
    }

    /// A command with the account's rights, away from our working directory (which it may not be able to enter) and
    /// from our `PG…` variables (which would redirect it to another server).
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        if let Self::Other { uid, gid, .. } = self {
            // Setting the user also clears root's supplementary groups.
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Creates `directory` (not its parents) for the account alone; one that exists already is handed over.
    pub(crate) fn own_directory(&self, directory: &Path) -> Result<(), Error> {
        use std::os::unix::fs::PermissionsExt;

        if !directory.is_dir() {
            fs::create_dir(directory).map_err(Error::io("create the directory", directory))?;
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
            .map_err(Error::io("restrict the directory", directory))?;
        if let Self::Other { uid, gid, .. } = self {
            chown(directory, Some(*uid), Some(*gid)).map_err(Error::io("hand over the directory", directory))?;
        }
        Ok(())
    }

    /// Says whether the account can enter `directory`, by entering it: the kernel knows about access lists and mounts.
    pub(crate) fn can_enter(&self, directory: &Path) -> bool {
        if *self == Self::Caller {
            return directory.is_dir();
        }
        self.command(Path::new("/bin/sh"))
            .args(["-c", "cd -- \"$1\"", "sh"])
            .arg(directory)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// Asks `id`, which knows about every source of users, not of `/etc/passwd` alone.
fn look_up(name: &str) -> Option<Account> {
    let number = |flag: &str| -> Option<u32> {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    Some(Account::Other { name: name.to_owned(), uid: number("-u")?, gid: number("-g")? })
}
