//! How much of a sweep one page shows: enough to read, little enough to open.

/// MiB of figures of inspect jobs, when nothing else is asked for.
pub const DEFAULT_FIGURES_MIB: u32 = 8;
/// Largest single figure, in bytes.
pub const MAX_FIGURE_BYTES: u64 = 4 << 20;
/// OOD datasets against which ROC curves are drawn.
pub const MAX_ROC_DATASETS: usize = 4;
/// OOD datasets in a histogram, beside the learned one.
pub const MAX_HISTOGRAM_DATASETS: usize = 6;
/// Pictures of AUROCs by variant.
pub const MAX_FORESTS: usize = 6;
/// Variants in a picture of AUROCs.
pub const MAX_FOREST_ROWS: usize = 60;
/// Rows of the tables of AUROCs and bits per dimension.
pub const MAX_ROWS: usize = 1_000;
/// Rows of the table of all metrics.
pub const MAX_METRIC_ROWS: usize = 2_000;
/// Rows of the tables of artifacts.
pub const MAX_ARTIFACT_ROWS: usize = 500;
/// Variants whose documents are shown.
pub const MAX_DOCUMENTS: usize = 50;
/// Longest document that is shown, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
