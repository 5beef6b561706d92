//! Nothing is left for later without an issue: no stubs, no test ignored without its reason, no bare reminders.

use super::{SourceFile, Violation};

/// What may not stand in code. Parted so that this file does not break its own rule.
const STUBS: [&str; 3] = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore]")];

/// A reminder, allowed when an issue's number follows: `(#12)`.
const REMINDERS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Files that write about reminders instead of leaving one.
const ABOUT: [&str; 1] = ["STYLE.md"];

/// Finds what is not finished.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    if ABOUT.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let stub = |line: &str| STUBS.iter().find(|stub| file.is_rust() && line.contains(*stub)).copied();
    let bare = |line: &str| REMINDERS.iter().find(|reminder| has_bare(line, reminder)).copied();
    let found = file.numbered_lines().filter_map(|(number, line)| {
        let what = stub(line).map(|stub| format!("holds `{stub}`; finish it or leave it out")).or_else(|| {
            bare(line).map(|reminder| format!("has a {reminder} without an issue; write {reminder}(#12)"))
        })?;
        Some(Violation::new(file.place(number), what))
    });
    found.collect()
}

/// Says whether the word stands somewhere without an issue's number behind it.
fn has_bare(line: &str, reminder: &str) -> bool {
    line.match_indices(reminder).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let behind = &line[start + reminder.len()..];
        let is_word = !before.is_some_and(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric);
        let has_issue =
            behind.strip_prefix("(#").is_some_and(|rest| rest.starts_with(|each: char| each.is_ascii_digit()));
        is_word && !has_issue
    })
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn stubs_and_tests_ignored_without_a_reason_are_found_with_their_line() {
        for stub in STUBS {
            let found = check(&file("a.rs", &format!("//! A file.\n    {stub})")));

            assert_eq!(found.len(), 1, "{stub}");
            assert_eq!(found[0].place, "a.rs:2");
        }
    }

    #[test]
    fn reminder_needs_an_issue() {
        let [reminder, _] = REMINDERS;

        assert_eq!(check(&file("a.sql", &format!("-- {reminder}: index"))).len(), 1);
        assert_eq!(check(&file("a.sql", &format!("-- {reminder}(#7): index"))), []);
        assert_eq!(check(&file("a.rs", &format!("let MAS{reminder}S = 1;"))), []);
    }
}
