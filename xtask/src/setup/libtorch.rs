//! libtorch: the caller's own, or ours in the cache, put there whole or not at all.

use std::{
    env,
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::wheels;
use crate::workspace::Workspace;

/// The version that the bindings in `tch` are made for; the two are an exact pair.
pub const VERSION: &str = "2.11.0";

/// What a tree must hold for our programs to build and start.
const REQUIRED: [&str; 4] =
    ["lib/libtorch_cpu.so", "lib/libc10.so", "lib/libtorch.so", "include/torch/csrc/api/include/torch/torch.h"];

/// What libtorch's own libraries look for beside themselves in a tree that we fetched. The caller's tree may have them
/// elsewhere, under other names, or be made without them.
const FETCHED: [&str; 3] = ["lib/libgomp.so.1", "lib/libcupti.so.13", "lib/libcudart.so.13"];

/// What is to be done so that libtorch is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The caller's `LIBTORCH` is used.
    UseCallers(PathBuf),
    /// The link leads to a complete tree.
    KeepLink(PathBuf),
    /// The cache holds a complete tree; only the link is missing.
    Link {
        /// The tree in the cache.
        tree: PathBuf,
        /// The link to make.
        link: PathBuf,
    },
    /// Everything is to be fetched.
    Fetch {
        /// The folder in the cache.
        cache: PathBuf,
        /// The link to make.
        link: PathBuf,
    },
}

/// Looks at what is there. Changes nothing.
pub fn plan(workspace: &Workspace, link: &Path) -> Result<Plan> {
    let injected = workspace.path(".spillway/libtorch");
    if let Some(own) = env::var_os("LIBTORCH").map(PathBuf::from).filter(|path| *path != injected) {
        check_callers(&own)?;
        return Ok(Plan::UseCallers(own));
    }
    if is_complete(link) {
        return Ok(Plan::KeepLink(link.to_path_buf()));
    }
    let cache = cache_folder()?;
    let tree = cache.join("tree");
    if is_complete(&tree) {
        return Ok(Plan::Link { tree, link: link.to_path_buf() });
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "libtorch {VERSION} is fetched for Linux on x86-64 only; unpack it yourself and set LIBTORCH to its folder"
        );
    }
    Ok(Plan::Fetch { cache, link: link.to_path_buf() })
}

impl Plan {
    /// Says whether wheels are to be fetched.
    pub fn needs_download(&self) -> bool {
        matches!(self, Self::Fetch { .. })
    }

    /// Makes it so, and says in one line what is used.
    pub fn carry_out(self) -> Result<String> {
        match self {
            Self::UseCallers(path) => Ok(format!("libtorch {VERSION} in {} (your LIBTORCH)", path.display())),
            Self::KeepLink(link) => {
                let tree = fs::canonicalize(&link).with_context(|| format!("cannot resolve {}", link.display()))?;
                Ok(format!("libtorch {VERSION} in {}", tree.display()))
            }
            Self::Link { tree, link } => {
                replace_link(&tree, &link)?;
                Ok(format!("libtorch {VERSION} in {}", tree.display()))
            }
            Self::Fetch { cache, link } => {
                let tree = fetch(&cache)?;
                replace_link(&tree, &link)?;
                Ok(format!("libtorch {VERSION} in {}", tree.display()))
            }
        }
    }
}

/// The folder for this version, outside any `target/`, so that every checkout shares it.
fn cache_folder() -> Result<PathBuf> {
    let named = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = named("SPILLWAY_CACHE_DIR")
        .or_else(|| named("XDG_CACHE_HOME").map(|cache| cache.join("spillway")))
        .or_else(|| named("HOME").map(|home| home.join(".cache/spillway")))
        .context("no folder to keep libtorch in; set SPILLWAY_CACHE_DIR")?;
    Ok(std::path::absolute(base)?.join(format!("libtorch-{VERSION}")))
}

/// Fetches and unpacks under the cache's lock; of two set-ups at once, one works and the other waits and finds it done.
fn fetch(cache: &Path) -> Result<PathBuf> {
    fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let lock = File::create(cache.join("lock")).with_context(|| format!("cannot lock {}", cache.display()))?;
    if lock.try_lock().is_err() {
        println!("waiting for another set-up that is fetching libtorch");
        lock.lock().with_context(|| format!("cannot lock {}", cache.display()))?;
    }
    let tree = cache.join("tree");
    if is_complete(&tree) {
        return Ok(tree);
    }
    let files = wheels::fetch(&cache.join("wheels"))?;
    let unfinished = cache.join("unfinished");
    for leftover in [&unfinished, &tree] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).with_context(|| format!("cannot remove {}", leftover.display()))?;
        }
    }
    wheels::unpack(&files, &unfinished)?;
    fs::write(unfinished.join("build-version"), format!("{VERSION}\n"))?;
    if !is_complete(&unfinished) {
        bail!("the wheels of libtorch {VERSION} lack some of {}", [&REQUIRED[..], &FETCHED].concat().join(", "));
    }
    // Under its name only when whole: a set-up that is killed leaves nothing that looks like a tree.
    fs::rename(&unfinished, &tree).with_context(|| format!("cannot put {} in place", tree.display()))?;
    fs::remove_dir_all(cache.join("wheels")).context("cannot remove the wheels after unpacking")?;
    Ok(tree)
}

fn check_callers(path: &Path) -> Result<()> {
    let shown = path.display();
    let advice = "or unset LIBTORCH to have it fetched";
    if let Some(absent) = REQUIRED.iter().find(|file| !path.join(file).exists()) {
        bail!("LIBTORCH is {shown}, but {absent} is not there; point it at libtorch {VERSION}, {advice}");
    }
    match version_of(path) {
        Some(version) if version == VERSION => Ok(()),
        Some(version) => bail!("LIBTORCH is {shown}, version {version}; point it at libtorch {VERSION}, {advice}"),
        None => bail!(
            "cannot tell the version of libtorch in {shown}; write {VERSION} into its file build-version, {advice}"
        ),
    }
}

fn is_complete(tree: &Path) -> bool {
    REQUIRED.iter().chain(&FETCHED).all(|file| tree.join(file).exists()) && version_of(tree).as_deref() == Some(VERSION)
}

/// The version without its local part (`+cpu`): from the archive's own file, a Python package's, or the header.
fn version_of(tree: &Path) -> Option<String> {
    let read = |file: &str| fs::read_to_string(tree.join(file)).ok();
    let full = read("build-version")
        .or_else(|| quoted_after(&read("version.py")?, "__version__ = "))
        .or_else(|| header_version(&read("include/torch/csrc/api/include/torch/version.h")?))
        .or_else(|| header_version(&read("include/torch/headeronly/version.h")?))?;
    full.trim().split('+').next().map(str::to_owned)
}

fn quoted_after(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim_matches(['\'', '"', ' ']).to_owned())
}

fn header_version(text: &str) -> Option<String> {
    let part = |name: &str| {
        let key = format!("#define TORCH_VERSION_{name} ");
        text.lines().find_map(|line| line.strip_prefix(&key)).map(str::trim)
    };
    Some(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}

fn replace_link(tree: &Path, link: &Path) -> Result<()> {
    if link.exists() && !link.is_symlink() {
        bail!("{} is no link; move it away, or set LIBTORCH to it", link.display());
    }
    let parent = link.parent().context("the link needs a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    // Made aside and renamed over the old one: there is no moment without a link.
    let aside = link.with_extension(format!("new-{}", std::process::id()));
    symlink(tree, &aside).with_context(|| format!("cannot create {}", aside.display()))?;
    fs::rename(&aside, link).with_context(|| format!("cannot put the link {} in place", link.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(version_file: &str, text: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in REQUIRED.iter().chain([&version_file]) {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    #[test]
    fn version_is_read_from_each_place_that_has_it() {
        for (file, text) in [
            ("build-version", "2.11.0+cpu\n"),
            ("version.py", "from typing import Optional\n__version__ = '2.11.0+cu130'\n"),
            (
                "include/torch/headeronly/version.h",
                "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n",
            ),
        ] {
            let tree = tree(file, text);

            assert_eq!(version_of(tree.path()).as_deref(), Some("2.11.0"), "{file}");
            assert!(check_callers(tree.path()).is_ok(), "{file}");
        }
    }

    #[test]
    fn callers_tree_of_another_version_is_refused_with_the_remedy() {
        let tree = tree("build-version", "2.10.0");

        let refusal = check_callers(tree.path()).unwrap_err().to_string();

        assert!(refusal.contains("version 2.10.0") && refusal.contains("unset LIBTORCH"), "{refusal}");
    }

    #[test]
    fn incomplete_tree_is_named_by_what_it_lacks() {
        let tree = tree("build-version", VERSION);
        fs::remove_file(tree.path().join("lib/libc10.so")).unwrap();

        let refusal = check_callers(tree.path()).unwrap_err().to_string();

        assert!(refusal.contains("lib/libc10.so"), "{refusal}");
        assert!(!is_complete(tree.path()));
    }

    #[test]
    fn fetched_tree_needs_the_libraries_that_libtorch_loads_and_the_callers_does_not() {
        for absent in FETCHED {
            let tree = tree("build-version", VERSION);
            for file in FETCHED {
                fs::write(tree.path().join(file), "").unwrap();
            }
            assert!(is_complete(tree.path()));

            fs::remove_file(tree.path().join(absent)).unwrap();

            assert!(!is_complete(tree.path()), "{absent}");
            assert!(check_callers(tree.path()).is_ok(), "{absent}");
        }
    }

    #[test]
    fn link_is_replaced_but_a_folder_in_its_place_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::create_dir(&old).unwrap();
        fs::create_dir(&new).unwrap();
        let link = directory.path().join("deep/libtorch");

        replace_link(&old, &link).unwrap();
        replace_link(&new, &link).unwrap();

        assert_eq!(fs::read_link(&link).unwrap(), new);
        assert!(replace_link(&new, &old).is_err());
    }
}
