//! Checked conversions.
