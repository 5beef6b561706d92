//! Who may import whom: downwards only, and a heavy library only where it belongs (DESIGN, the house).

use cargo_metadata::{DependencyKind, Metadata};

use super::Violation;

/// Each package and the workspace's packages that it may use. Dev-dependencies may add `localdb`.
const ALLOWED: &[(&str, Uses)] = &[
    ("architecture", Uses::Only(&[])),
    ("catalogue", Uses::Only(&["architecture"])),
    ("domain", Uses::Only(&["architecture", "catalogue"])),
    ("proto", Uses::Only(&["domain"])),
    ("store", Uses::Only(&["domain"])),
    ("artifacts", Uses::Only(&["domain"])),
    ("flows", Uses::Only(&["architecture"])),
    ("download", Uses::Only(&[])),
    ("datasets", Uses::Only(&["architecture", "catalogue"])),
    ("ood", Uses::Only(&[])),
    ("pictures", Uses::Only(&[])),
    ("scoring", Uses::Only(&["catalogue", "domain", "ood"])),
    ("statedict", Uses::Only(&[])),
    ("checkpoints", Uses::Only(&["architecture", "domain", "statedict"])),
    (
        "training",
        Uses::Only(&["architecture", "catalogue", "checkpoints", "datasets", "domain", "flows", "ood", "scoring"]),
    ),
    ("process", Uses::Only(&[])),
    ("localdb", Uses::Only(&[])),
    ("coordinator", Uses::Only(&["artifacts", "domain", "process", "proto", "store"])),
    (
        "worker",
        Uses::Only(&["artifacts", "catalogue", "datasets", "domain", "process", "proto", "scoring", "training"]),
    ),
    (
        "cli",
        Uses::Only(&[
            "architecture",
            "catalogue",
            "checkpoints",
            "datasets",
            "domain",
            "download",
            "localdb",
            "ood",
            "pictures",
            "process",
            "proto",
            "scoring",
            "statedict",
        ]),
    ),
    ("e2e", Uses::Anything),
    ("xtask", Uses::Only(&["localdb"])),
];

/// Libraries with a fixed place, by the beginning of their names, and the packages that may name them.
const OWNED: [(&str, &[&str]); 4] = [
    ("tch", &["flows", "training"]),
    ("torch-sys", &[]),
    ("sqlx", &["store"]),
    ("tonic", &["cli", "coordinator", "e2e", "process", "proto", "worker"]),
];

/// What a package may use of the workspace.
#[derive(Debug, Clone, Copy)]
enum Uses {
    Only(&'static [&'static str]),
    Anything,
}

/// A package's manifest, as far as the borders go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Dependency {
    name: String,
    origin: Origin,
    kind: DependencyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Workspace,
    Outside,
}

/// The workspace's packages.
pub fn packages(metadata: &Metadata) -> Vec<Package> {
    let dependency = |dependency: &cargo_metadata::Dependency| Dependency {
        name: dependency.name.clone(),
        origin: if dependency.path.is_some() { Origin::Workspace } else { Origin::Outside },
        kind: dependency.kind,
    };
    let package = |package: &cargo_metadata::Package| Package {
        name: package.name.to_string(),
        dependencies: package.dependencies.iter().map(dependency).collect(),
    };
    metadata.workspace_packages().into_iter().map(package).collect()
}

/// Finds every dependency that crosses a border.
pub fn check(packages: &[Package]) -> Vec<Violation> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Violation> {
    let name = package.name.as_str();
    let Some((_, uses)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        return vec![Violation::new(name, "is a new package; say in xtask's table of borders what it may use")];
    };
    let refused = package.dependencies.iter().filter(|dependency| match dependency.origin {
        Origin::Workspace => !may_use(*uses, dependency),
        Origin::Outside => !may_name(name, &dependency.name),
    });
    refused.map(|dependency| Violation::new(name, format!("may not depend on {}", dependency.name))).collect()
}

fn may_use(uses: Uses, dependency: &Dependency) -> bool {
    match uses {
        Uses::Anything => true,
        Uses::Only(names) => {
            let for_tests = dependency.kind == DependencyKind::Development && dependency.name == "localdb";
            for_tests || names.contains(&dependency.name.as_str())
        }
    }
}

fn may_name(package: &str, library: &str) -> bool {
    let belongs =
        |prefix: &str| library == prefix || library.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'));
    OWNED.iter().filter(|(prefix, _)| belongs(prefix)).all(|(_, owners)| owners.contains(&package))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Origin, DependencyKind)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, origin, kind)| Dependency { name: (*name).to_owned(), origin: *origin, kind: *kind })
            .collect();
        Package { name: name.to_owned(), dependencies }
    }

    #[test]
    fn downward_imports_pass() {
        let packages = [
            package("domain", &[("serde", Origin::Outside, DependencyKind::Normal)]),
            package("training", &[("flows", Origin::Workspace, DependencyKind::Normal)]),
            package("flows", &[("tch", Origin::Outside, DependencyKind::Normal)]),
            package("e2e", &[("worker", Origin::Workspace, DependencyKind::Development)]),
        ];

        assert_eq!(check(&packages), []);
    }

    #[test]
    fn upward_and_sideways_imports_are_found() {
        for (importer, imported) in [
            ("domain", "store"),
            ("proto", "store"),
            ("flows", "domain"),
            ("coordinator", "training"),
            ("cli", "store"),
        ] {
            let found = check(&[package(importer, &[(imported, Origin::Workspace, DependencyKind::Normal)])]);

            assert_eq!(found, [Violation::new(importer, format!("may not depend on {imported}"))]);
        }
    }

    #[test]
    fn heavy_libraries_stay_in_their_place_in_tests_too() {
        for (importer, library) in [
            ("domain", "sqlx"),
            ("worker", "tch"),
            ("coordinator", "sqlx-core"),
            ("store", "tonic-types"),
            ("flows", "torch-sys"),
        ] {
            let found = check(&[package(importer, &[(library, Origin::Outside, DependencyKind::Development)])]);

            assert_eq!(found.len(), 1, "{importer} → {library}");
        }
    }

    #[test]
    fn local_database_may_serve_tests_but_not_the_program() {
        let for_tests = package("store", &[("localdb", Origin::Workspace, DependencyKind::Development)]);
        let for_good = package("store", &[("localdb", Origin::Workspace, DependencyKind::Normal)]);

        assert_eq!(check(&[for_tests]), []);
        assert_eq!(check(&[for_good]).len(), 1);
    }

    #[test]
    fn package_without_a_row_in_the_table_is_found() {
        assert_eq!(check(&[package("newcomer", &[])]).len(), 1);
    }
}
