//! Scores and metrics as people see them: which come first, what they are called, which way is better.

/// What is shown when nobody says: the likelihood itself and what usually answers best where it fails.
pub const FIRST_SCORES: [&str; 4] = ["log-likelihood", "typicality", "complexity-png", "dose"];

/// The metric that is shown when nobody says.
pub const FIRST_METRIC: &str = "auroc";

/// Which of two numbers is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The higher one.
    Up,
    /// The lower one.
    Down,
}

/// Which way a metric that compares both sides is better.
pub fn direction(metric: &str) -> Direction {
    if metric.starts_with("fpr-") || metric.starts_with("detection-error") { Direction::Down } else { Direction::Up }
}

/// What people call a metric.
pub fn title(metric: &str) -> String {
    match metric {
        "auroc" => "AUROC".to_owned(),
        other => match other.split_once('-') {
            Some((first @ ("aupr" | "ap" | "fpr"), rest)) => {
                format!("{} {}", first.to_uppercase(), rest.replace("at-95", "at 95 %").replace('-', " "))
            }
            Some(_) | None => other.replace('-', " "),
        },
    }
}

/// What a metric says, in a sentence below its table.
pub fn meaning(metric: &str) -> String {
    if metric == FIRST_METRIC {
        return "AUROC: out-of-distribution is positive, 0.5 is chance; mean ± standard deviation over seeds."
            .to_owned();
    }
    let better = match direction(metric) {
        Direction::Up => "higher",
        Direction::Down => "lower",
    };
    format!("{}: {better} is better; mean ± standard deviation over seeds.", title(metric))
}

/// The place of a score among others: the first ones first, the rest by name, numbers in them by size.
pub fn rank(score: &str) -> (usize, String, u64) {
    let first = FIRST_SCORES.iter().position(|known| *known == score).unwrap_or(FIRST_SCORES.len());
    let (stem, number) = match score.rsplit_once('-') {
        Some((stem, digits)) => match digits.parse() {
            Ok(number) => (stem, number),
            Err(_) => (score, 0),
        },
        None => (score, 0),
    };
    (first, stem.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_stand_in_the_order_in_which_people_want_them() {
        let mut scores = ["typicality-10", "scale-10", "dose", "typicality-2", "scale-2", "log-likelihood", "waic"];
        scores.sort_by_key(|score| rank(score));

        let expected = ["log-likelihood", "dose", "scale-2", "scale-10", "typicality-2", "typicality-10", "waic"];
        assert_eq!(scores, expected);
    }

    #[test]
    fn metrics_have_titles_and_directions() {
        for (metric, shown, better) in [
            ("auroc", "AUROC", Direction::Up),
            ("aupr-out", "AUPR out", Direction::Up),
            ("fpr-in-at-95-out", "FPR in at 95 % out", Direction::Down),
            ("detection-error", "detection error", Direction::Down),
        ] {
            assert_eq!((title(metric).as_str(), direction(metric)), (shown, better));
        }
    }
}
