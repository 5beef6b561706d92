//! Which variants of a sweep are shown, and how many.

use crate::failure::Failure;

/// Most variants that are drawn: no more can be told apart.
pub const MAX_VARIANTS: usize = pictures::MAX_SERIES;
/// Most seeds of a variant whose curves are drawn.
pub const MAX_SEEDS: usize = 5;
/// Most labels that an error lists.
const MAX_LISTED: usize = 20;

/// The variants that `wanted` names; the first ones when it names none. With them, how many were left out.
pub fn choose<'a>(all: &[&'a str], wanted: &[String], most: usize) -> Result<(Vec<&'a str>, usize), Failure> {
    if wanted.is_empty() {
        return Ok((all.iter().copied().take(most).collect(), all.len().saturating_sub(most)));
    }
    let mut chosen: Vec<&str> = Vec::new();
    for name in wanted {
        let found = all.iter().find(|label| *label == name).ok_or_else(|| no_such_variant(all, name))?;
        if !chosen.contains(found) {
            chosen.push(found);
        }
    }
    if chosen.len() > most {
        return Err(anyhow::anyhow!("{} variants are named: at most {most} can be told apart", chosen.len()).into());
    }
    Ok((chosen, 0))
}

fn no_such_variant(all: &[&str], name: &str) -> Failure {
    let mut listed: Vec<String> = all.iter().take(MAX_LISTED).map(|label| format!("`{label}`")).collect();
    if all.len() > MAX_LISTED {
        listed.push(format!("{} more", all.len() - MAX_LISTED));
    }
    Failure::NotFound(format!("there is no variant `{name}`: one of {} expected", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_the_named_ones_or_the_first() {
        let all = ["a", "b", "c"];
        let wanted = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();

        assert_eq!(choose(&all, &[], 2).unwrap(), (vec!["a", "b"], 1));
        assert_eq!(choose(&all, &wanted(&["c", "a", "c"]), 2).unwrap(), (vec!["c", "a"], 0));
        let unknown = choose(&all, &wanted(&["d"]), 2).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no variant `d`: one of `a`, `b`, `c` expected");
        assert!(choose(&all, &wanted(&["a", "b", "c"]), 2).unwrap_err().to_string().contains("at most 2"));
    }
}
