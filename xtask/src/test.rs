//! `test`: all tests of the workspace on one private PostgreSQL server.

use anyhow::Result;
use localdb::{PrivateCluster, TEST_DATABASE_URL};

use crate::{
    setup,
    workspace::{self, Workspace},
};

/// Sets up, starts a server that the tests share, builds the programs that whole-cluster tests start, and runs the tests.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup::run(workspace, None)?;
    run_tests(workspace, arguments)
}

/// The tests alone, on a machine that is set up.
pub fn run_tests(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    // Together with the tests, so that both are built with the same features: once.
    workspace::run(workspace.cargo(["build", "--workspace", "--bins", "--tests"]))?;
    // Started after the build: a server needs memory that the compiler wants.
    let cluster = PrivateCluster::temporary()?;
    let mut tests = workspace.cargo(["test", "--workspace"]);
    tests.args(arguments).env(TEST_DATABASE_URL, cluster.url());
    workspace::run(tests)?;
    cluster.stop()?;
    Ok(())
}
