//! Compiles the `.proto` files to Rust without a system protoc, and keeps the descriptors for reflection.

use std::{env, fs, path::Path};

use prost::Message;

const FILES: [&str; 6] = [
    "spillway/v1/artifact.proto",
    "spillway/v1/experiment.proto",
    "spillway/v1/fleet.proto",
    "spillway/v1/result.proto",
    "spillway/v1/sweep.proto",
    "spillway/v1/worker.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=spillway");
    let descriptors = protox::compile(FILES, ["."])?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
