//! What is shown: a line for each pair over its seeds, or for each of its seeds over images.

use std::collections::BTreeSet;

use ood::{Scores, delong_test};

use super::{
    Over,
    pairs::{Both, Pair, Test},
};
use crate::{
    client::Client,
    commands::results::names::FIRST_METRIC,
    failure::Failure,
    images::{Images, Subject},
};

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What is compared.
    pub pair: Pair,
    /// The only seed, where images are compared.
    pub seed: Option<u64>,
    /// The numbers compared, means over seeds where seeds are.
    pub values: Option<[f64; 2]>,
    /// The test, if there is one.
    pub test: Option<Test>,
}

/// The comparisons, and why some of them are not tested.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// In the order of pairs, then of seeds.
    pub lines: Vec<Line>,
    /// Each reason once.
    pub untested: BTreeSet<String>,
}

/// Makes the comparisons of `pairs`.
pub async fn lines(pairs: Vec<Pair>, over: Over, client: &Client) -> Result<Lines, Failure> {
    let mut found = Lines::default();
    let mut tests = Vec::new();
    for (place, pair) in pairs.iter().enumerate() {
        let of_images = match over {
            Over::Auto => pair.both.len() == 1 && pair.metric == FIRST_METRIC,
            Over::Seeds => false,
            Over::Images => true,
        };
        if of_images {
            tests.extend(pair.both.iter().map(|both| (both.seed, place, *both)));
        } else {
            let line = Line { pair: pair.clone(), seed: None, values: pair.means(), test: pair.over_seeds() };
            found.lines.push(line);
        }
    }
    // Seed by seed, so that the statistics of one seed's experiments are held at a time.
    tests.sort_by_key(|(seed, place, _)| (*seed, *place));
    let mut images = Images::of(client)?;
    let mut held = None;
    for (seed, place, both) in tests {
        if held.replace(seed).is_some_and(|before| before != seed) {
            images.forget();
        }
        let pair = &pairs[place];
        let test = match over_images(pair, both, &mut images).await? {
            Ok(test) => Some(test),
            Err(reason) => {
                found.untested.insert(reason);
                None
            }
        };
        found.lines.push(Line { pair: pair.clone(), seed: Some(seed), values: Some(both.values), test });
    }
    let place = |line: &Line| pairs.iter().position(|pair| *pair == line.pair);
    found.lines.sort_by_key(|line| (place(line), line.seed));
    Ok(found)
}

/// The paired DeLong test over the examples of one seed's experiments, or why there is none.
async fn over_images(pair: &Pair, both: Both, images: &mut Images<'_>) -> Result<Result<Test, String>, Failure> {
    if pair.metric != FIRST_METRIC {
        return Ok(Err(format!("`{}` has no test over images", pair.metric)));
    }
    if pair.in_datasets[0] != pair.in_datasets[1] {
        return Ok(Err("they learned different datasets, so that their images are others".to_owned()));
    }
    let mut scored = Vec::new();
    for side in 0..2 {
        let subject = Subject {
            experiment: both.experiments[side],
            in_dataset: &pair.in_datasets[side],
            out_dataset: &pair.out_dataset,
            score: &pair.scores[side],
        };
        match images.scores(subject).await? {
            Ok(scores) => scored.push(scores),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    let scores = |side: usize| Scores { inside: &scored[side].inside, outside: &scored[side].outside };
    Ok(match delong_test(scores(0), scores(1)) {
        Ok(test) => Ok(Test {
            difference: test.difference,
            low: test.interval.low,
            high: test.interval.high,
            p_value: test.p,
            method: format!("{} over {}+{} images", test.method, test.in_count, test.out_count),
        }),
        Err(error) => Err(error.to_string()),
    })
}
