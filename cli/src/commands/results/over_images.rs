//! Which variant of a sweep with one seed is the best, by a test over images: their statistics are fetched for it.

use std::collections::{BTreeMap, BTreeSet};

use ood::{Scores, delong_test};
use proto::v1::TableRow;
use scoring::Scored;

use super::{
    best::{Best, Cell, Lead, Test, cell, contests},
    names::FIRST_METRIC,
};
use crate::{
    client::Client,
    failure::Failure,
    images::{Images, Subject},
};

/// Judges each group of `rows`, AUROCs of one seed; `numbers` are the same of single experiments. Also says what could not be tested.
pub async fn judge(
    rows: &[TableRow],
    numbers: &[TableRow],
    client: &Client,
) -> Result<(Best, BTreeSet<String>), Failure> {
    let (scored, untested) = score(numbers, client).await?;
    let mut best = Best::by(Test::Images);
    for contest in contests(rows) {
        let first = scored.get(&cell(contest.first));
        let lead = |other: &&TableRow| {
            let test = delong_test(sides(first?), sides(scored.get(&cell(other))?)).ok()?;
            Some(Lead { by: test.difference, p_value: test.p })
        };
        let leads: Option<Vec<Lead>> = contest.others.iter().map(lead).collect();
        best.settle(&contest, leads.as_deref());
    }
    Ok((best, untested))
}

/// The scores of every example, experiment by experiment, so that the statistics of one are held at a time.
async fn score(numbers: &[TableRow], client: &Client) -> Result<(BTreeMap<Cell, Scored>, BTreeSet<String>), Failure> {
    let mut by_experiment: BTreeMap<i64, Vec<&TableRow>> = BTreeMap::new();
    for row in numbers.iter().filter(|row| row.metric == FIRST_METRIC && row.mean.is_some()) {
        by_experiment.entry(row.experiment_id.unwrap_or_default()).or_default().push(row);
    }
    let mut images = Images::of(client)?;
    let (mut scored, mut untested) = (BTreeMap::new(), BTreeSet::new());
    for (experiment, rows) in by_experiment {
        for row in rows {
            let subject =
                Subject { experiment, in_dataset: &row.in_dataset, out_dataset: &row.out_dataset, score: &row.score };
            match images.scores(subject).await? {
                Ok(scores) => drop(scored.insert(cell(row), scores)),
                Err(reason) => untested.extend([reason]),
            }
        }
        images.forget();
    }
    Ok((scored, untested))
}

fn sides(scored: &Scored) -> Scores<'_> {
    Scores { inside: &scored.inside, outside: &scored.outside }
}
