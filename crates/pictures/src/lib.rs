//! Pictures of results: plain data in, SVG text or PNG bytes out. Reads no file, asks nobody, and never uses a font of the machine.
//!
//! Each kind of picture is a struct that says what is shown; its `draw` gives a [`Picture`], or a [`PictureError`] that says why nothing can be
//! drawn. The same data gives the same bytes on every machine.

mod curves;
mod error;
mod forest;
mod frame;
mod histogram;
mod letters;
mod picture;
mod roc;
mod style;
mod training;

pub use self::{
    error::PictureError,
    forest::{AurocRow, ForestPlot},
    histogram::{Histogram, Side},
    picture::Picture,
    roc::{Band, RocPlot, RocSeries},
    style::MAX_SERIES,
    training::{SeedCurve, TrainingPlot, TrainingSeries},
};
