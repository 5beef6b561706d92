//! The tensor library's threads.

use std::sync::Once;

/// Lets the tensor library use so many threads within one operation, and one between operations: the flows here have
/// no independent operations to run side by side. Results are the same bits only for the same number of threads.
///
/// Call it before the first training run of the process.
pub fn set_threads(count: u16) {
    // The library allows this once, before its first parallel work, and fails otherwise.
    static ONE_BETWEEN_OPERATIONS: Once = Once::new();
    ONE_BETWEEN_OPERATIONS.call_once(|| tch::set_num_interop_threads(1));
    tch::set_num_threads(i32::from(count.max(1)));
}
