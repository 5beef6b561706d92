//! Exit codes that every program shares.

/// The program did what it was asked.
pub const SUCCESS: u8 = 0;
/// The program failed.
pub const FAILURE: u8 = 1;
/// A flag or an environment variable is missing or wrong (`EX_USAGE` of sysexits.h).
pub const CONFIGURATION: u8 = 64;
