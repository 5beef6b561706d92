//! From what a flow makes of each example to scores and to the numbers that are published: no tensors, so that new scores of
//! old results need neither a GPU nor libtorch.

pub mod code_length;
pub mod column;
mod directions;
mod error;
mod file;
mod measure;
mod over_seeds;
mod score;
mod scores_file;
mod statistics;

pub use directions::directions;
pub use error::StatisticsError;
pub use file::{SavedFile, WrongDigest};
pub use measure::{Measured, measure, measure_scored};
pub use over_seeds::{Model, OverSeedsError, likelihood_ratio, score_over_seeds};
pub use score::{ScoreError, Scored, Sides, score};
pub use scores_file::{SCORES_FORMAT, ScoresHeader, write_scores};
pub use statistics::{Columns, FORMAT, Header, PROJECTIONS, Statistics};
