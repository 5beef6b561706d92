//! The wire: the types generated from `spillway/v1/*.proto`, and their checked conversion to and from the rules' types.

pub mod convert;
mod methods;

pub use methods::{Method, methods};

/// Types, clients and servers of `spillway.v1`, generated from the `.proto` files, which document them.
#[expect(missing_docs, clippy::pedantic, reason = "generated; the `.proto` files are the documentation")]
pub mod v1 {
    tonic::include_proto!("spillway.v1");
}

/// The descriptors of every file, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
