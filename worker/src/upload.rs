//! Files on their way to the artifact store.

use std::{
    io,
    sync::{Arc, Mutex},
};

use proto::{convert::ToWire, v1};
use tokio::fs::File;
use tokio_stream::{StreamExt, once};
use tokio_util::io::ReaderStream;

use crate::{
    child::ArtifactFile,
    uplink::{Uplink, UplinkError},
};

/// Size of the pieces in which a file is sent, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// What became of an upload that was answered.
#[derive(Debug)]
pub enum Upload {
    /// The store has the artifact.
    Stored,
    /// The file cannot be read here.
    Unreadable(io::Error),
}

/// Stores a file, unless the store has it already.
///
/// # Errors
/// An outage, which calls for another try; or a refusal: the bytes are not those of the digest, say.
pub async fn upload(uplink: &Uplink, file: &ArtifactFile) -> Result<Upload, UplinkError> {
    if uplink.has(file.digest).await? {
        return Ok(Upload::Stored);
    }
    let opened = async {
        let source = File::open(&file.path).await?;
        let size = source.metadata().await?.len();
        Ok((source, size))
    };
    let (source, size) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return Ok(Upload::Unreadable(error)),
    };

    let header = v1::PutHeader { digest: file.digest.to_wire(), size };
    let header = v1::PutRequest { part: Some(v1::put_request::Part::Header(header)) };
    let disk_error = Arc::new(Mutex::new(None));
    let noticed = Arc::clone(&disk_error);
    // A file that cannot be read to its end ends the stream early: the store refuses what is too short.
    let chunks = ReaderStream::with_capacity(source, CHUNK_BYTES).map_while(move |chunk| match chunk {
        Ok(bytes) => Some(v1::PutRequest { part: Some(v1::put_request::Part::Chunk(bytes.to_vec())) }),
        Err(error) => {
            *noticed.lock().expect("no holder of this lock panics") = Some(error);
            None
        }
    });
    let answer = uplink.put(file.digest, once(header).chain(chunks), size).await;
    if let Some(error) = disk_error.lock().expect("no holder of this lock panics").take() {
        return Ok(Upload::Unreadable(error));
    }
    answer.map(|()| Upload::Stored)
}
