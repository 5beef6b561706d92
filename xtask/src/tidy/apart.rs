//! What we are measured against stays out of our build: a package under `bench/` is a workspace of its own, so that neither
//! the lock file nor the checks of the project ever see what a peer depends on.

use super::{SourceFile, Violation};

/// Finds a manifest under `bench/` that is no workspace, and would be taken for a package of ours.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let manifest = file.path.starts_with("bench/") && file.path.ends_with("/Cargo.toml");
    if !manifest || file.text.lines().any(|line| line.trim() == "[workspace]") {
        return Vec::new();
    }
    vec![Violation::new(&file.path, "has no [workspace] of its own: peers must not enter the project's lock file")]
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn peer_inside_our_workspace_is_found() {
        assert_eq!(check(&file("bench/peers/Cargo.toml", "[package]\n")).len(), 1);
        assert_eq!(check(&file("bench/peers/Cargo.toml", "[package]\n\n[workspace]\n")), []);
        assert_eq!(check(&file("crates/store/Cargo.toml", "[package]\n")), []);
    }
}
