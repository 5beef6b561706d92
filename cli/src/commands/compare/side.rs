//! One of two things that are compared: a variant of a sweep over its seeds, or one experiment.

use std::{collections::BTreeSet, fmt};

use proto::v1::ListExperimentsRequest;

use crate::{client::Client, failure::Failure};

/// Labels of variants that an error lists.
const LABELS: usize = 20;

/// A variant of a sweep, or one seed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The sweep's name or id.
    pub sweep: String,
    /// The variant's label.
    pub variant: String,
    /// The only seed.
    pub seed: Option<u64>,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.sweep, self.variant)?;
        self.seed.map_or(Ok(()), |seed| write!(formatter, " seed {seed}"))
    }
}

impl Side {
    /// Finds what `text` names: SWEEP, SWEEP:VARIANT, or an experiment's number.
    pub async fn find(text: &str, client: &Client) -> Result<Self, Failure> {
        // A label may hold colons, a sweep's name cannot.
        if let Some((sweep, variant)) = text.split_once(':') {
            return Self::of_sweep(sweep, Some(variant), client).await;
        }
        match text.parse::<i64>() {
            Ok(experiment) if experiment > 0 => Self::of_experiment(experiment, client).await,
            Ok(_) | Err(_) => Self::of_sweep(text, None, client).await,
        }
    }

    async fn of_experiment(experiment_id: i64, client: &Client) -> Result<Self, Failure> {
        let mut found = None;
        let request = ListExperimentsRequest { experiment_id, ..ListExperimentsRequest::default() };
        client.experiments(request, |row| found = Some(row)).await?;
        let row = found.ok_or_else(|| Failure::NotFound(format!("there is no experiment {experiment_id}")))?;
        Ok(Self { sweep: row.sweep, variant: row.variant, seed: Some(row.seed) })
    }

    async fn of_sweep(sweep: &str, variant: Option<&str>, client: &Client) -> Result<Self, Failure> {
        let mut labels = BTreeSet::new();
        let request = ListExperimentsRequest { sweep: sweep.to_owned(), ..ListExperimentsRequest::default() };
        client.experiments(request, |row| labels.extend([row.variant])).await?;
        let side = |variant: &str| Self { sweep: sweep.to_owned(), variant: variant.to_owned(), seed: None };
        let known = || {
            let shown: Vec<String> = labels.iter().take(LABELS).map(|label| format!("`{sweep}:{label}`")).collect();
            let more = labels.len().saturating_sub(LABELS);
            let rest = if more > 0 { format!(" and {more} others") } else { String::new() };
            format!("one of {}{rest} expected", shown.join(", "))
        };
        match (variant, labels.first()) {
            (Some(variant), _) if labels.contains(variant) => Ok(side(variant)),
            (Some(variant), _) => {
                Err(Failure::NotFound(format!("sweep `{sweep}` has no variant `{variant}`: {}", known())))
            }
            (None, Some(only)) if labels.len() == 1 => Ok(side(only)),
            (None, _) => Err(Failure::NotFound(format!("sweep `{sweep}` has {} variants: {}", labels.len(), known()))),
        }
    }
}
