//! `test`: all tests of the workspace on one private PostgreSQL server.

use anyhow::Result;
use localdb::{PrivateCluster, TEST_DATABASE_URL};

use crate::{
    python, setup,
    workspace::{self, Workspace},
};

/// Sets up, starts a server that the tests share, builds the programs that whole-cluster tests start, and runs the tests.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup::run(workspace, None)?;
    run_tests(workspace, arguments)
}

/// The tests alone, on a machine that is set up: of the whole workspace, or of the packages that `arguments` name (`-p store`).
pub fn run_tests(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let scope = Scope::of(arguments);
    let environment = if needs_python(arguments) { python::for_tests(workspace)? } else { None };
    if scope.needs_programs(arguments) {
        // Together with the tests, so that both are built with the same features: once.
        workspace::run(workspace.cargo(["build", "--workspace", "--bins", "--tests"]))?;
    }
    // Started after the build: a server needs memory that the compiler wants.
    let cluster = PrivateCluster::temporary()?;
    let mut tests = match scope {
        Scope::Workspace => workspace.cargo(["test", "--workspace"]),
        Scope::NamedPackages => workspace.cargo(["test"]),
    };
    tests.args(arguments).env(TEST_DATABASE_URL, cluster.url());
    if let Some(environment) = environment {
        tests.env(python::TEST_PYTHON, environment.interpreter());
    }
    workspace::run(tests)?;
    // Thrown away with its folder: that a busy machine ends it slowly is no failure of the tests, which have passed.
    drop(cluster);
    Ok(())
}

/// Says whether the tests of the Python package are among the tests: everything is tested, or the whole cluster, or Python by name.
fn needs_python(arguments: &[String]) -> bool {
    let mut for_cargo = arguments.iter().take_while(|argument| *argument != "--");
    let is_named = for_cargo.clone().any(|argument| argument.contains("e2e") || argument.contains("python"));
    // Flags alone, such as `--no-fail-fast`, leave nothing out.
    is_named || for_cargo.all(|argument| argument.starts_with('-'))
}

/// What is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Workspace,
    NamedPackages,
}

impl Scope {
    /// Looks at the arguments before `--`, which are cargo's.
    fn of(arguments: &[String]) -> Self {
        let for_cargo = arguments.iter().take_while(|argument| *argument != "--");
        let names = |argument: &String| argument.starts_with("-p") || argument.starts_with("--package");
        if for_cargo.into_iter().any(names) { Self::NamedPackages } else { Self::Workspace }
    }

    /// Says whether whole-cluster tests are among the tests: they start the programs of other packages.
    fn needs_programs(self, arguments: &[String]) -> bool {
        self == Self::Workspace || arguments.iter().any(|argument| argument.contains("e2e"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn whole_workspace_is_tested_unless_a_package_is_named() {
        assert_eq!(Scope::of(&words("claim -- --nocapture -p")), Scope::Workspace);
        assert_eq!(Scope::of(&words("-p store")), Scope::NamedPackages);
        assert_eq!(Scope::of(&words("--package=store -- claim")), Scope::NamedPackages);
    }

    #[test]
    fn programs_are_built_for_whole_cluster_tests() {
        assert!(Scope::Workspace.needs_programs(&[]));
        assert!(Scope::NamedPackages.needs_programs(&words("-p e2e")));
        assert!(!Scope::NamedPackages.needs_programs(&words("-p store")));
    }

    #[test]
    fn python_is_tested_with_everything_and_by_name() {
        assert!(
            needs_python(&[])
                && needs_python(&words("--no-fail-fast -- claim"))
                && needs_python(&words("-p e2e"))
                && needs_python(&words("--test python"))
        );
        assert!(!needs_python(&words("-p store")) && !needs_python(&words("claim")));
    }
}
