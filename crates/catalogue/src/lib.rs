//! The names of datasets as plain data: what the catalogue has, users' own files, and what is done to the images before
//! a flow sees them. Shapes and resampling follow from a name alone, so that a coordinator without a single image can
//! check what fits what.

mod dataset;
mod name;
mod own;
mod resampling;
mod step;

pub use dataset::{Dataset, DatasetError, DatasetSource};
pub use name::{DatasetName, UnknownDataset};
pub use own::OwnFiles;
pub use step::{ClassList, Embedding, Filter, Size, Step, Turn};
