//! Every Rust file opens with `//!`: what it is for.

use super::{SourceFile, Violation};

/// Finds a Rust file that does not say what it is for.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let says = file
        .text
        .lines()
        .next()
        .is_some_and(|line| line.strip_prefix("//!").is_some_and(|text| !text.trim().is_empty()));
    if !file.is_rust() || says {
        return Vec::new();
    }
    vec![Violation::new(&file.path, "opens without a `//!` line that says what the file is for")]
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn file_without_a_purpose_is_found() {
        assert_eq!(check(&file("a/src/b.rs", "use std::fs;\n")).len(), 1);
        assert_eq!(check(&file("a/src/b.rs", "//!\n")).len(), 1);
        assert_eq!(check(&file("a/src/b.rs", "")).len(), 1);
    }

    #[test]
    fn file_with_a_purpose_passes_and_other_languages_are_left_alone() {
        assert_eq!(check(&file("a/src/b.rs", "//! Reads files.\n")), []);
        assert_eq!(check(&file("a/b.sql", "select 1")), []);
    }
}
