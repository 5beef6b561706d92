//! `setup`: everything a fresh machine needs before `cargo build`, checked first and fetched then.

mod libtorch;
mod tools;
mod wheels;

use std::path::Path;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// Checks the machine, then makes libtorch ready behind `link` (by default `.spillway/libtorch`), and says what it found.
pub fn run(workspace: &Workspace, link: Option<&Path>) -> Result<()> {
    let link = link.map_or_else(|| workspace.path(".spillway/libtorch"), Path::to_path_buf);
    let plan = libtorch::plan(workspace, &link)?;
    let needed = if plan.needs_download() { tools::FOR_BUILD_AND_DOWNLOAD } else { tools::FOR_BUILD };
    let (found, missing): (Vec<_>, Vec<_>) = needed.iter().map(|tool| tool.look()).partition(Result::is_ok);
    for line in found.into_iter().flatten() {
        println!("found    {line}");
    }
    if !missing.is_empty() {
        for line in missing.into_iter().filter_map(Result::err) {
            eprintln!("missing  {line}");
        }
        bail!("install what is missing, then run this again");
    }
    let description = plan.carry_out()?;
    println!("found    {description}");
    Ok(())
}
