//! Rust files have at most 400 lines; longer ones explain themselves in a list here.

use super::{SourceFile, Violation};

/// More than this and a file holds several thoughts.
const LONGEST: usize = 400;

/// Files that are long for a reason.
const EXPLAINED: [(&str, &str); 0] = [];

/// Finds a Rust file that is too long.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let lines = file.text.lines().count();
    let explained = EXPLAINED.iter().any(|(path, _reason)| *path == file.path);
    if !file.is_rust() || lines <= LONGEST || explained {
        return Vec::new();
    }
    vec![Violation::new(&file.path, format!("has {lines} lines; part it at {LONGEST}, or explain it in xtask's list"))]
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn one_line_too_many_is_found() {
        assert_eq!(check(&file("a.rs", &"\n".repeat(LONGEST))), []);
        assert_eq!(check(&file("a.rs", &"\n".repeat(LONGEST + 1))).len(), 1);
        assert_eq!(check(&file("a.csv", &"\n".repeat(LONGEST + 1))), []);
    }
}
