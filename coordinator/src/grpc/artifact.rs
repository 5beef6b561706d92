//! `ArtifactService`.

use artifacts::{ArtifactError, ArtifactStore, Upload};
use bytes::Bytes;
use domain::{Digest, spec::Violations};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use proto::{
    convert::FromWire,
    v1::{self, artifact_service_server::ArtifactService, put_request::Part},
};
use store::Store;
use tonic::{Request, Response, Status, Streaming};
use tracing::debug;

use super::status;
use crate::{Telemetry, telemetry::ArtifactRefusal};

/// Largest piece of an artifact in one message.
const CHUNK_BYTES: usize = 256 * 1024;

pub(crate) struct ArtifactApi {
    artifacts: ArtifactStore,
    store: Store,
    telemetry: Telemetry,
}

impl ArtifactApi {
    pub(crate) fn new(artifacts: ArtifactStore, store: Store, telemetry: Telemetry) -> Self {
        Self { artifacts, store, telemetry }
    }

    fn failed(&self, error: &ArtifactError) -> Status {
        refuse(&self.telemetry, error)
    }
}

#[tonic::async_trait]
impl ArtifactService for ArtifactApi {
    type GetStream = BoxStream<'static, Result<v1::GetResponse, Status>>;

    /// An artifact that is there already is written again: whoever sends it again may have found it damaged.
    async fn put(&self, request: Request<Streaming<v1::PutRequest>>) -> Result<Response<v1::PutResponse>, Status> {
        let mut parts = request.into_inner();
        let (digest, size) = parse_header(parts.message().await?)?;
        let known = self.artifacts.size(&digest).await.map_err(|error| self.failed(&error))?.is_some();
        let mut upload = self.artifacts.upload(digest, size).await.map_err(|error| self.failed(&error))?;
        match self.receive(&mut parts, &mut upload, size).await {
            Ok(()) => upload.finish().await.map_err(|error| self.failed(&error))?,
            Err(refusal) => {
                if let Err(error) = upload.abort().await {
                    debug!(%error, "broken upload was not cleared away");
                }
                return Err(refusal);
            }
        }
        self.store.record_artifact(&digest, size).await.map_err(|error| status::of_store(&error))?;
        debug!(%digest, size, "artifact was stored");
        Ok(Response::new(v1::PutResponse { created: !known }))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let v1::GetRequest { digest } = request.into_inner();
        let digest = parse_digest(digest, "digest")?;
        let pieces = self.artifacts.read(&digest).await.map_err(|error| self.failed(&error))?;
        let telemetry = self.telemetry.clone();
        let counted = pieces.map(move |piece| match piece {
            Ok(bytes) => {
                telemetry.edge().artifact_sent(bytes.len());
                Ok(bytes)
            }
            Err(error) => Err(refuse(&telemetry, &error)),
        });
        let messages = counted.map_ok(|bytes| stream::iter(cut(bytes)).map(Ok)).try_flatten();
        Ok(Response::new(Box::pin(messages)))
    }

    async fn stat(&self, request: Request<v1::StatRequest>) -> Result<Response<v1::StatResponse>, Status> {
        let v1::StatRequest { digest } = request.into_inner();
        let digest = parse_digest(digest, "digest")?;
        let size = self.artifacts.size(&digest).await.map_err(|error| self.failed(&error))?;
        if let Some(size) = size {
            // Its upload may have ended between the file and the row.
            self.store.record_artifact(&digest, size).await.map_err(|error| status::of_store(&error))?;
        }
        Ok(Response::new(v1::StatResponse { exists: size.is_some(), size: size.unwrap_or_default() }))
    }
}

impl ArtifactApi {
    /// Takes in the chunks; stops at the first byte beyond the size announced.
    async fn receive(
        &self,
        parts: &mut Streaming<v1::PutRequest>,
        upload: &mut Upload,
        size: u64,
    ) -> Result<(), Status> {
        let mut received = 0;
        while let Some(v1::PutRequest { part }) = parts.message().await? {
            let Some(Part::Chunk(chunk)) = part else {
                return Err(status::refused(&Violations::one("part", "a chunk expected after the header")));
            };
            received += chunk.len() as u64;
            if received > size {
                let text = format!("{size} bytes were announced, and more came");
                return Err(status::refused(&Violations::one("header.size", text)));
            }
            self.telemetry.edge().artifact_received(chunk.len());
            upload.write(Bytes::from(chunk)).await.map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }
}

fn parse_header(first: Option<v1::PutRequest>) -> Result<(Digest, u64), Status> {
    match first {
        Some(v1::PutRequest { part: Some(Part::Header(v1::PutHeader { digest, size })) }) => {
            Ok((parse_digest(digest, "header.digest")?, size))
        }
        Some(_) | None => Err(status::refused(&Violations::one("header", "missing: the first message holds it"))),
    }
}

fn parse_digest(bytes: Vec<u8>, at: &str) -> Result<Digest, Status> {
    Digest::from_wire(bytes, at).map_err(|refusal| status::refused(&refusal))
}

fn cut(mut bytes: Bytes) -> Vec<v1::GetResponse> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let chunk = bytes.split_to(bytes.len().min(CHUNK_BYTES));
        messages.push(v1::GetResponse { chunk: chunk.to_vec() });
    }
    messages
}

fn refuse(telemetry: &Telemetry, error: &ArtifactError) -> Status {
    telemetry.edge().artifact_refused(match error {
        ArtifactError::Full(_) => ArtifactRefusal::Full,
        ArtifactError::Unavailable(_) | ArtifactError::Place { .. } => ArtifactRefusal::Unavailable,
        ArtifactError::Mismatch { .. } | ArtifactError::TooLarge { .. } => ArtifactRefusal::Mismatch,
        ArtifactError::Corrupt { .. } => ArtifactRefusal::Corrupt,
        ArtifactError::Missing { .. } => ArtifactRefusal::Missing,
    });
    status::of_artifact(error)
}
