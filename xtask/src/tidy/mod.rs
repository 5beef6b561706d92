//! `tidy`: rules of the code that the compiler does not know. One rule a file, each proven by a violation in its tests.

mod apart;
mod borders;
mod headers;
mod length;
mod machine;
mod statements;
mod top_level;
mod torch_free;
mod unfinished;

use std::{fmt, fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// A rule that something breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A file, a file and line, or a package.
    place: String,
    /// What is wrong and what to do.
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.what)
    }
}

/// A text file of the checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Lines with their numbers, from 1.
    fn numbered_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

/// Checks every rule, prints every violation, and fails when there is one.
pub fn run(workspace: &Workspace) -> Result<()> {
    let files = source_files(workspace)?;
    let metadata = workspace.metadata()?;
    let mut violations = borders::check(&borders::packages(&metadata));
    violations.extend(torch_free::check(&torch_free::Graph::of(&metadata)?));
    violations.extend(top_level::check(&files));
    for file in &files {
        for rule in [apart::check, headers::check, length::check, unfinished::check, machine::check, statements::check]
        {
            violations.extend(rule(file));
        }
    }
    for violation in &violations {
        eprintln!("{violation}");
    }
    match violations.len() {
        0 => {
            println!("tidy: {} files and {} packages keep the rules", files.len(), metadata.workspace_members.len());
            Ok(())
        }
        count => bail!("tidy found {count} violations"),
    }
}

/// What git tracks or would track; files that are not text are passed over.
fn source_files(workspace: &Workspace) -> Result<Vec<SourceFile>> {
    let mut git = Command::new("git");
    git.current_dir(workspace.root());
    // Checkouts in containers often belong to another user; listing their files runs nothing of theirs.
    git.args([
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
    ]);
    let output = git.output().context("cannot run git")?;
    if !output.status.success() {
        bail!("tidy needs a git checkout: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    let read = |name: &str| {
        let text = fs::read_to_string(workspace.path(name)).ok()?;
        Some(SourceFile { path: name.to_owned(), text })
    };
    Ok(names.split_terminator('\0').filter_map(read).collect())
}

#[cfg(test)]
fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}
