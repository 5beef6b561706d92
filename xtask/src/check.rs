//! `check`: what CI runs, in the order in which a mistake shows soonest.

use anyhow::Result;

use crate::{
    setup, sqlx, test, tidy,
    workspace::{self, Workspace},
};

/// Runs every check and stops at the first that fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    setup::run(workspace, None)?;
    workspace::run(workspace.cargo(["fmt", "--all", "--check"]))?;
    tidy::run(workspace)?;
    workspace::run(workspace.cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    sqlx::compare(workspace)?;
    let mut documentation = workspace.cargo(["doc", "--workspace", "--no-deps"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    workspace::run(documentation)?;
    test::run_tests(workspace, &[])
}
