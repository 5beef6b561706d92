//! Resuming in the same bits with two threads within an operation. The only test of its program: threads of several
//! runs would wait for each other's.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use experiment::{Laboratory, spec};
use training::{Directive, Recorder};

#[test]
fn two_threads_resume_in_the_same_bits_too() {
    let spec = spec("cycle", 6);
    let whole = Laboratory::with_threads(2).train(&spec);

    let disturbed = Laboratory::with_threads(2);
    let stopping = Recorder::default().at(3, Directive::StopAfterCheckpoint);
    let (first, _) = disturbed.fit(&spec, None, stopping).unwrap();
    let (second, _) = disturbed.fit(&spec, first.checkpoint.as_ref(), Recorder::default()).unwrap();

    assert_eq!(first.steps, 3);
    assert_eq!(second.checkpoint.unwrap().file.digest, whole.file.digest);
}
