//! Which numbers are asked for, and asking for them: filters go to the database.

use std::collections::{BTreeMap, BTreeSet};

use proto::v1::{ListExperimentsRequest, QueryTableRequest, TableRow};

use super::{
    key::{Condition, Key},
    names::{FIRST_METRIC, FIRST_SCORES},
};
use crate::{client::Client, failure::Failure};

/// What stands for every score or metric.
pub const ALL: &str = "all";
/// Most values of a filter that the coordinator takes; with more of them everything is asked for and sorted out here.
const MAX_VALUES: usize = 1000;

/// The settings of each variant that were asked for: by label, then by path.
pub type Settings = BTreeMap<String, BTreeMap<String, String>>;

/// Which numbers of a sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    variants: Vec<String>,
    in_datasets: Vec<String>,
    out_datasets: Vec<String>,
    /// None means all.
    pub scores: Vec<String>,
    /// None means all.
    pub metrics: Vec<String>,
    seeds: Vec<u64>,
    settings: BTreeMap<String, BTreeSet<String>>,
    /// Whether the scores are those that people see first, since nobody named others.
    pub is_first_scores: bool,
}

impl Selection {
    /// What `--where`, `--scores` and `--metric` choose. Nothing is left out for programs unless they say so.
    pub fn new(conditions: &[Condition], scores: &[String], metrics: &[String], for_people: bool) -> Self {
        let mut selection = Self::default();
        for Condition { key, value } in conditions {
            match key {
                Key::Variant => selection.variants.push(value.clone()),
                Key::In => selection.in_datasets.push(value.clone()),
                Key::Out => selection.out_datasets.push(value.clone()),
                Key::Score => selection.scores.push(value.clone()),
                Key::Metric => selection.metrics.push(value.clone()),
                Key::Seed => selection.seeds.extend(value.parse::<u64>().ok()),
                Key::Setting(path) => {
                    selection.settings.entry(path.clone()).or_default().insert(value.clone());
                }
            }
        }
        selection.scores.extend_from_slice(scores);
        selection.metrics.extend_from_slice(metrics);
        if selection.metrics.is_empty() {
            selection.metrics.push(FIRST_METRIC.to_owned());
        }
        if selection.scores.is_empty() && for_people {
            selection.scores = FIRST_SCORES.map(str::to_owned).to_vec();
            selection.is_first_scores = true;
        }
        for names in [&mut selection.scores, &mut selection.metrics] {
            if names.iter().any(|name| name == ALL) {
                names.clear();
            }
        }
        selection
    }

    /// Whether single seeds are asked for.
    pub fn names_seeds(&self) -> bool {
        !self.seeds.is_empty()
    }

    /// The paths of settings that decide.
    fn paths(&self) -> impl Iterator<Item = &String> {
        self.settings.keys()
    }

    /// Reads the settings of variants that are shown at `paths` or decide; narrows the variants to those for which the conditions hold.
    pub async fn resolve(&mut self, client: &Client, sweep: &str, paths: &[String]) -> Result<Settings, Failure> {
        let asked: BTreeSet<&String> = paths.iter().chain(self.paths()).collect();
        if asked.is_empty() {
            return Ok(Settings::new());
        }
        let mut settings = Settings::new();
        let request = ListExperimentsRequest {
            sweep: sweep.to_owned(),
            experiment_id: 0,
            variants: self.variants.clone(),
            settings: asked.iter().map(|&path| path.clone()).collect(),
        };
        // All seeds of a variant have the same ones.
        client
            .experiments(request, |row| drop(settings.insert(row.variant, row.settings.into_iter().collect())))
            .await?;
        if let Some(path) = asked.iter().find(|path| !settings.values().any(|of| of.contains_key(path.as_str()))) {
            return Err(Failure::NotFound(format!("no variant of sweep `{sweep}` has a setting `{path}`")));
        }
        if !self.settings.is_empty() {
            settings.retain(|_, of| {
                self.settings.iter().all(|(path, values)| of.get(path).is_some_and(|value| values.contains(value)))
            });
            self.variants = settings.keys().cloned().collect();
        }
        Ok(settings)
    }

    /// Whether no variant has the settings that were asked for.
    pub fn is_impossible(&self) -> bool {
        !self.settings.is_empty() && self.variants.is_empty()
    }

    /// The request for rows over seeds.
    pub fn over_seeds(&self, sweep: &str) -> QueryTableRequest {
        QueryTableRequest {
            sweep: sweep.to_owned(),
            variants: if self.variants.len() > MAX_VALUES { Vec::new() } else { self.variants.clone() },
            in_datasets: self.in_datasets.clone(),
            out_datasets: self.out_datasets.clone(),
            scores: self.scores.clone(),
            metrics: self.metrics.clone(),
            seeds: Vec::new(),
            per_seed: false,
        }
    }

    /// The request for rows of single seeds.
    pub fn of_seeds(&self, sweep: &str) -> QueryTableRequest {
        QueryTableRequest { seeds: self.seeds.clone(), per_seed: true, ..self.over_seeds(sweep) }
    }

    /// Whether a row that came is one of those that were asked for.
    pub fn holds(&self, row: &TableRow) -> bool {
        self.variants.is_empty() || self.variants.contains(&row.variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Condition {
        text.parse().expect("a test's conditions are well-formed")
    }

    #[test]
    fn people_see_the_first_scores_and_programs_see_all() {
        let for_people = Selection::new(&[], &[], &[], true);
        let for_programs = Selection::new(&[], &[], &[], false);

        assert_eq!((for_people.scores.len(), for_people.is_first_scores), (FIRST_SCORES.len(), true));
        assert_eq!((for_programs.scores.len(), for_programs.metrics), (0, vec![FIRST_METRIC.to_owned()]));
        let all = Selection::new(&[], &[ALL.to_owned()], &[ALL.to_owned()], true);
        assert_eq!((all.scores.len(), all.metrics.len(), all.is_first_scores), (0, 0, false));
    }

    #[test]
    fn conditions_of_one_key_are_alternatives() {
        let conditions = ["out=mnist", "out=kmnist", "score=dose", "seed=2"].map(condition);

        let request = Selection::new(&conditions, &[], &[], true).of_seeds("demo");

        assert_eq!(
            (request.out_datasets, request.scores),
            (vec!["mnist".into(), "kmnist".into()], vec!["dose".into()])
        );
        assert_eq!((request.seeds, request.per_seed), (vec![2], true));
    }
}
