//! `sqlx`: the metadata in `.sqlx/`, made from the migrations and the queries by compiling `store` against a real database.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, bail};
use localdb::PrivateCluster;

use crate::workspace::{self, Workspace};

/// File names and contents.
type Files = BTreeMap<String, String>;

/// Writes `.sqlx/` anew; files of queries that are gone go too.
pub fn rewrite(workspace: &Workspace) -> Result<()> {
    let described = describe(workspace)?;
    let folder = workspace.path(".sqlx");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for stale in read(&folder)?.keys().filter(|name| !described.contains_key(*name)) {
        fs::remove_file(folder.join(stale)).with_context(|| format!("cannot remove .sqlx/{stale}"))?;
    }
    for (name, text) in &described {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write .sqlx/{name}"))?;
    }
    println!("wrote the metadata of {} queries to .sqlx/", described.len());
    Ok(())
}

/// Fails when `.sqlx/` is not what [`rewrite`] would write.
pub fn compare(workspace: &Workspace) -> Result<()> {
    let described = describe(workspace)?;
    let folder = workspace.path(".sqlx");
    let stored = if folder.is_dir() { read(&folder)? } else { Files::new() };
    let differences = differences(&stored, &described);
    if differences.is_empty() {
        println!("the metadata of {} queries in .sqlx/ is up to date", described.len());
        return Ok(());
    }
    bail!("run `cargo xtask sqlx` and commit .sqlx/: {}", differences.join(", "))
}

/// Compiles `store` against a database with all migrations; its query macros write what the database says about each query.
fn describe(workspace: &Workspace) -> Result<Files> {
    let cluster = PrivateCluster::temporary()?;
    let url = cluster.create_database("prepare")?;
    for migration in migrations(workspace)? {
        cluster.run_file("prepare", &migration)?;
    }
    let output = tempfile::tempdir()?;
    // The macros run only when the package is compiled, and a flag that was never seen before sees to that.
    let nonce = format!("sqlx_described=\"{}\"", UNIX_EPOCH.elapsed()?.as_nanos());
    let mut command = workspace.cargo([
        "rustc",
        "--quiet",
        "--package",
        "store",
        "--lib",
        "--profile",
        "check",
        "--",
        "--cfg",
        &nonce,
    ]);
    command.env("DATABASE_URL", &url).env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", output.path());
    workspace::run(command)?;
    cluster.stop()?;
    let files = read(output.path())?;
    if files.is_empty() {
        bail!("compiling `store` described no query; is SQLX_OFFLINE forced in a cargo configuration?");
    }
    Ok(files)
}

/// The migrations, in the order of their numbers.
fn migrations(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.path("migrations");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    Ok(paths)
}

fn read(folder: &Path) -> Result<Files> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files = Files::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("query-") {
            files.insert(name, fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
    }
    Ok(files)
}

/// One phrase for each file that is missing, stale or different.
fn differences(stored: &Files, described: &Files) -> Vec<String> {
    let missing = described.keys().filter(|name| !stored.contains_key(*name)).map(|name| format!("{name} is missing"));
    let stale = stored.keys().filter(|name| !described.contains_key(*name)).map(|name| format!("{name} is stale"));
    let changed = described
        .iter()
        .filter(|(name, text)| stored.get(*name).is_some_and(|old| old != *text))
        .map(|(name, _)| format!("{name} differs"));
    missing.chain(stale).chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Files {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let stored = files(&[("query-1.json", "same"), ("query-2.json", "old"), ("query-3.json", "gone")]);
        let described = files(&[("query-1.json", "same"), ("query-2.json", "new"), ("query-4.json", "added")]);

        let found = differences(&stored, &described);

        assert_eq!(found, ["query-4.json is missing", "query-3.json is stale", "query-2.json differs"]);
        assert!(differences(&described, &described).is_empty());
    }
}
