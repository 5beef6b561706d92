//! A user's own files: folders of pictures, arrays and tables, read as they are and refused with the place and the remedy.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod damage;
mod data;
mod parquet;
mod pictures;
mod tables;
