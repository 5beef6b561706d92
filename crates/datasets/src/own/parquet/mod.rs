//! Tables of a user's own in Parquet, read a few rows of each row group at a time.
//!
//! The library trusts lengths that a file states. What they may cost is checked before it sees them: the footer in `footer`, and the
//! header of each page in `pages`.

mod column;
mod footer;
mod pages;
mod table;
mod thrift;

pub use table::read;
