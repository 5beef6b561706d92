//! A query file holds one statement: what runs is what its name says.

use super::{SourceFile, Violation};

/// Finds a query file with no statement or several.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let is_query = file.path.ends_with(".sql") && file.path.split('/').any(|folder| folder == "queries");
    if !is_query {
        return Vec::new();
    }
    match count(&file.text) {
        1 => Vec::new(),
        statements => {
            vec![Violation::new(&file.path, format!("holds {statements} statements; give each its own file"))]
        }
    }
}

/// Counts statements: the pieces between semicolons that hold more than comments and blanks. Semicolons in comments,
/// quoted text and quoted names part nothing.
fn count(sql: &str) -> usize {
    let mut statements = 0;
    let mut begun = false;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' | '"' => {
                begun = true;
                rest[1..].find(first).map_or(rest.len(), |end| end + 2)
            }
            ';' => {
                statements += usize::from(std::mem::take(&mut begun));
                1
            }
            other => {
                begun |= !other.is_whitespace();
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    statements + usize::from(begun)
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn second_statement_is_found() {
        assert_eq!(check(&file("crates/store/queries/job/claim.sql", "select 1;\nselect 2")).len(), 1);
        assert_eq!(check(&file("crates/store/queries/job/claim.sql", "-- nothing\n")).len(), 1);
    }

    #[test]
    fn semicolons_in_comments_and_text_part_nothing() {
        let sql = "-- first; second\nselect ';' as \"a;b\" /* c; d */ from job;\n-- end;\n";

        assert_eq!(count(sql), 1);
        assert_eq!(check(&file("crates/store/queries/job/claim.sql", sql)), []);
    }

    #[test]
    fn migrations_may_hold_many() {
        assert_eq!(check(&file("migrations/0001_tables.sql", "select 1; select 2;")), []);
    }
}
