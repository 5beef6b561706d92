//! Artifacts of the cluster, to this machine and from it, believed only when their digest is right.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::{Context, anyhow};
use domain::Digest;
use proto::{
    convert::ToWire,
    v1::{self, PutRequest, put_request::Part},
};
use sha2::{Digest as _, Sha256};
use tokio::{fs, io::AsyncWriteExt};
use tokio_stream::{StreamExt, once};
use tokio_util::io::ReaderStream;

use crate::{client::Client, failure::Failure};

/// Size of the pieces in which a file is sent and digested, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// What became of a file that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The cluster has it now.
    New,
    /// The cluster had it already.
    Before,
}

/// SHA-256 of everything that `source` gives.
pub fn digest_of(mut source: impl Read) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok(Digest::from(<[u8; 32]>::from(hasher.finalize()))),
            read => hasher.update(&chunk[..read]),
        }
    }
}

/// Fetches an artifact into the file `path`; `what` is what people call it. A file whose digest is wrong is not to be used.
pub async fn fetch(client: &Client, digest: Digest, path: &Path, what: &str) -> Result<(), Failure> {
    let unwritable = || format!("cannot write {}", path.display());
    let mut pieces = client.artifact(&digest.to_wire()).await?;
    let mut file = fs::File::create(path).await.with_context(unwritable)?;
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    while let Some(piece) = client.checked(pieces.message().await)? {
        hasher.update(&piece.chunk);
        bytes += piece.chunk.len();
        file.write_all(&piece.chunk).await.with_context(unwritable)?;
    }
    file.flush().await.with_context(unwritable)?;
    let found = Digest::from(<[u8; 32]>::from(hasher.finalize()));
    if found != digest {
        return Err(anyhow!("{what} is damaged: expected SHA-256 {digest}, found {found} ({bytes} bytes)").into());
    }
    Ok(())
}

/// Fetches an artifact of at most `most` bytes; `what` is what people call it.
pub async fn fetch_bytes(client: &Client, digest: Digest, most: u64, what: &str) -> Result<Vec<u8>, Failure> {
    let mut pieces = client.artifact(&digest.to_wire()).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = client.checked(pieces.message().await)? {
        bytes.extend_from_slice(&piece.chunk);
        if bytes.len() as u64 > most {
            return Err(anyhow!("{what} has more than {most} bytes, which is more than can be shown").into());
        }
    }
    let found = Digest::of(&bytes);
    if found != digest {
        let size = bytes.len();
        return Err(anyhow!("{what} is damaged: expected SHA-256 {digest}, found {found} ({size} bytes)").into());
    }
    Ok(bytes)
}

/// Stores the file `path`, whose digest is `digest`.
pub async fn store(client: &Client, digest: Digest, path: &Path) -> Result<Stored, Failure> {
    let unreadable = || format!("cannot read {}", path.display());
    let size = File::open(path).and_then(|file| file.metadata()).with_context(unreadable)?.len();
    let source = fs::File::open(path).await.with_context(unreadable)?;
    let header = PutRequest { part: Some(Part::Header(v1::PutHeader { digest: digest.to_wire(), size })) };
    let disk_error = Arc::new(Mutex::new(None));
    let noticed = Arc::clone(&disk_error);
    // A file that cannot be read to its end ends the stream early: the store refuses what is too short.
    let chunks = ReaderStream::with_capacity(source, CHUNK_BYTES).map_while(move |chunk| match chunk {
        Ok(bytes) => Some(PutRequest { part: Some(Part::Chunk(bytes.to_vec())) }),
        Err(error) => {
            *noticed.lock().expect("no holder of this lock panics") = Some(error);
            None
        }
    });
    let answer = client.artifacts().put(once(header).chain(chunks)).await;
    if let Some(error) = disk_error.lock().expect("no holder of this lock panics").take() {
        return Err(anyhow::Error::new(error).context(unreadable()).into());
    }
    let created = client.checked(answer)?.into_inner().created;
    Ok(if created { Stored::New } else { Stored::Before })
}
