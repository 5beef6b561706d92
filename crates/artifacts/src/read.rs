//! Reading an artifact piece by piece, checking its digest on the way.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use domain::Digest;
use futures::{Stream, stream::BoxStream};
use sha2::{Digest as _, Sha256};

use crate::ArtifactError;

/// The bytes of an artifact. The last item is an error when their digest is not the one asked for.
pub struct Bytestream {
    inner: BoxStream<'static, object_store::Result<Bytes>>,
    /// Taken when the stream has ended.
    hasher: Option<Sha256>,
    expected: Digest,
}

impl Bytestream {
    pub(crate) fn new(inner: BoxStream<'static, object_store::Result<Bytes>>, expected: Digest) -> Self {
        Self { inner, hasher: Some(Sha256::new()), expected }
    }
}

impl Stream for Bytestream {
    type Item = Result<Bytes, ArtifactError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.hasher.is_none() {
            return Poll::Ready(None);
        }
        let next = ready!(self.inner.as_mut().poll_next(context));
        Poll::Ready(match next {
            Some(Ok(chunk)) => {
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(&chunk);
                }
                Some(Ok(chunk))
            }
            Some(Err(error)) => {
                self.hasher = None;
                Some(Err(error.into()))
            }
            None => self.verdict().map(Err),
        })
    }
}

impl Bytestream {
    /// What the digest says at the end of the stream.
    fn verdict(&mut self) -> Option<ArtifactError> {
        let found = Digest::from(<[u8; 32]>::from(self.hasher.take()?.finalize()));
        (found != self.expected).then_some(ArtifactError::Corrupt { expected: self.expected, found })
    }
}
