//! The artifact of a job that computes scores: one column for each score and side.

use std::collections::HashMap;
use std::path::Path;

use domain::Digest;
use domain::spec::{Dataset, ScoreName};
use safetensors::serialize;
use serde::{Deserialize, Serialize};

use crate::error::StatisticsError;
use crate::file::{self, SavedFile};
use crate::score::Scored;
use crate::statistics::{HEADER_KEY, Stored, Values};

/// The version of the format that this release writes.
pub const SCORES_FORMAT: u32 = 1;

/// Of what the scores are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoresHeader {
    /// [`SCORES_FORMAT`].
    pub format: u32,
    /// The trained flow; the first of several.
    pub checkpoint: Digest,
    /// The seeds whose flows had a part, the experiment's own first.
    pub seeds: Vec<u64>,
    /// The learned dataset, whose test split is the inside.
    pub inside: Dataset,
    /// The OOD dataset, whose test split is the outside.
    pub outside: Dataset,
}

/// Writes columns `in.<score>` and `out.<score>` of doubles in the order of the examples, or of groups of them; durably, and all
/// or nothing. Equal scores have equal bytes.
///
/// # Errors
/// [`StatisticsError`] when the disk refuses.
pub fn write_scores(
    path: &Path,
    header: &ScoresHeader,
    scores: &[(ScoreName, Scored)],
) -> Result<SavedFile, StatisticsError> {
    let header = serde_json::to_string(header).map_err(|error| StatisticsError::Header(error.to_string()))?;
    let column = |side: &str, name: &ScoreName, values| {
        let length = <[f64]>::len(values);
        (format!("{side}.{name}"), Stored { values: Values::Doubles(values), shape: vec![length] })
    };
    let columns = scores
        .iter()
        .flat_map(|(name, scored)| [column("in", name, &scored.inside), column("out", name, &scored.outside)]);
    let bytes = serialize(columns, Some(HashMap::from([(HEADER_KEY.to_owned(), header)])))?;
    Ok(file::write(path, &bytes)?)
}
