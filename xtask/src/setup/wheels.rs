//! The Python wheels that hold libtorch: found through pip, so that the user's own configuration decides where from.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

/// Downloads one URL, resuming, and checks its digest.
const FETCH_SCRIPT: &str = include_str!("fetch.py");

/// Takes out of wheels what a build needs.
const UNPACK_SCRIPT: &str = include_str!("unpack.py");

/// A wheel as we accept it.
struct Wheel {
    project: &'static str,
    version: &'static str,
    sha256: &'static str,
}

/// libtorch itself, and the two small libraries that its CPU part is linked against.
const WHEELS: [Wheel; 3] = [
    Wheel {
        project: "torch",
        version: super::libtorch::VERSION,
        sha256: "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
    },
    Wheel {
        project: "nvidia-cuda-cupti",
        version: "13.0.85",
        sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
    },
    Wheel {
        project: "nvidia-cuda-runtime",
        version: "13.0.96",
        sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
    },
];

/// The same files whatever Python this machine has: nothing of Python's is used from them.
const TARGET: [&str; 13] = [
    "--no-deps",
    "--only-binary",
    ":all:",
    "--implementation",
    "cp",
    "--python-version",
    "3.11",
    "--platform",
    "manylinux_2_28_x86_64",
    "--platform",
    "manylinux_2_25_x86_64",
    "--platform",
    "manylinux2014_x86_64",
];

impl Wheel {
    fn requirement(&self) -> String {
        format!("{}=={}", self.project, self.version)
    }

    /// How the wheel's file name begins.
    fn prefix(&self) -> String {
        format!("{}-{}-", self.project.replace('-', "_"), self.version)
    }
}

/// Brings every wheel into `folder`, verified, and returns their paths. What is there already is not fetched again.
pub fn fetch(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    println!("fetching libtorch {} (545 MB) into {}", super::libtorch::VERSION, folder.display());
    let mut urls: Option<Vec<String>> = None;
    let mut files = Vec::new();
    for wheel in &WHEELS {
        let target = folder.join(format!("{}{}.whl", wheel.prefix(), "verified"));
        let local = provided(wheel)?;
        if local.is_none() && !target.exists() && urls.is_none() {
            urls = Some(ask_pip_for_urls().unwrap_or_else(|error| {
                println!("pip does not tell where the files are ({error:#}); trying `pip download`");
                Vec::new()
            }));
        }
        let url = urls.iter().flatten().find(|url| file_name(url).starts_with(&wheel.prefix())).cloned();
        bring(wheel, local.or(url), &target)?;
        files.push(target);
    }
    Ok(files)
}

/// Takes one wheel from its source, or lets pip fetch it when there is none or it fails.
fn bring(wheel: &Wheel, source: Option<String>, target: &Path) -> Result<()> {
    if target.exists() {
        return Ok(());
    }
    if let Some(source) = &source {
        let mut script = python(FETCH_SCRIPT);
        script.args([source.as_str(), wheel.sha256]).arg(target);
        if script.status().context("cannot run python3")?.success() {
            return Ok(());
        }
        println!("could not fetch {} directly; trying `pip download`", wheel.requirement());
    }
    let folder = tempfile::tempdir_in(target.parent().context("a wheel needs a folder")?)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--dest"]).arg(folder.path()).args(TARGET).arg(wheel.requirement());
    workspace::run(pip).with_context(|| {
        format!(
            "cannot fetch {}; check pip's configuration, or put the wheel into a folder and set SPILLWAY_WHEELS to it",
            wheel.requirement()
        )
    })?;
    let file = find(folder.path(), wheel)?.with_context(|| format!("pip fetched no {}", wheel.requirement()))?;
    let mut script = python(FETCH_SCRIPT);
    script.arg(file).arg(wheel.sha256).arg(target);
    workspace::run_quietly(script, &format!("verification of {}", wheel.requirement()))
}

/// The wheel in the folder that the user named, if they named one and it is there.
fn provided(wheel: &Wheel) -> Result<Option<String>> {
    let Some(folder) = env::var_os("SPILLWAY_WHEELS").filter(|folder| !folder.is_empty()) else { return Ok(None) };
    let found = find(Path::new(&folder), wheel).context("SPILLWAY_WHEELS is not readable")?;
    Ok(found.map(|path| path.display().to_string()))
}

fn find(folder: &Path, wheel: &Wheel) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&wheel.prefix()) && name.ends_with("x86_64.whl")
    }))
}

/// Resolves the wheels without fetching them. The digests are compared after the download, with ours.
fn ask_pip_for_urls() -> Result<Vec<String>> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]);
    // Another platform's wheels are resolved for a target folder only; a dry run does not create it.
    pip.args(["--target", "unused"]).args(TARGET).args(WHEELS.iter().map(Wheel::requirement));
    let output = pip.output().context("cannot run `python3 -m pip`")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().next().unwrap_or("it failed without a word"));
    }
    urls_of(&serde_json::from_slice(&output.stdout).context("its report is not JSON")?)
}

fn urls_of(report: &Value) -> Result<Vec<String>> {
    let installs = report["install"].as_array().context("its report lists no files")?;
    let urls = installs.iter().filter_map(|install| install["download_info"]["url"].as_str());
    Ok(urls.map(str::to_owned).collect())
}

fn file_name(url: &str) -> &str {
    let path = url.split(['#', '?']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

/// Unpacks libraries and headers into `tree`, which must not exist.
pub fn unpack(wheels: &[PathBuf], tree: &Path) -> Result<()> {
    let mut script = python(UNPACK_SCRIPT);
    script.arg(tree).args(wheels);
    workspace::run_quietly(script, "unpacking of libtorch")
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    command
}

#[cfg(test)]
mod tests;
