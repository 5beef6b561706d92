//! What a visitor expects at the top of a repository is there.

use super::{SourceFile, Violation};

/// The files and what each is for.
const EXPECTED: [&str; 7] =
    ["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "STYLE.md", ".ci/run"];

/// Finds an expected file that is missing or empty.
pub fn check(files: &[SourceFile]) -> Vec<Violation> {
    let present = |name: &str| files.iter().any(|file| file.path == name && !file.text.trim().is_empty());
    let missing = EXPECTED.iter().filter(|name| !present(name));
    missing.map(|name| Violation::new(*name, "is missing or empty")).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn missing_and_empty_files_are_found() {
        let mut files: Vec<_> = EXPECTED.iter().map(|name| file(name, "text")).collect();
        assert_eq!(check(&files), []);

        files[0].text.clear();
        files.pop();

        let found = check(&files);
        assert_eq!(found.len(), 2);
    }
}
