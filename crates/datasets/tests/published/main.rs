//! Publishers' files as they are: each format read from its archive and from its folder, and refused when it is another
//! thing.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod celeba;
mod damage;
mod emnist;
mod files;
mod imagenet;
mod memory;
mod pictures;
mod records;
mod svhn;
mod verifying;
