//! Lines of text out of a stream of bytes, in which one unreadable line does not end the reading.

use std::io;

use thiserror::Error;
use tokio::io::AsyncRead;
use tokio_stream::StreamExt;
use tokio_util::{
    bytes::BytesMut,
    codec::{Decoder, FramedRead, LinesCodec, LinesCodecError},
};

use super::protocol::MAX_LINE_BYTES;

/// Why a line cannot be read. The lines after it can.
#[derive(Debug, Error)]
pub enum BadLine {
    /// It is longer than any document of the protocol.
    #[error("the line is longer than {MAX_LINE_BYTES} bytes")]
    Overlong,
    /// It is not UTF-8.
    #[error("the line is not text: {0}")]
    NotText(io::Error),
}

/// The lines of a stream.
#[derive(Debug)]
pub struct Lines<R>(FramedRead<R, Codec>);

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Reads lines from `stream`.
    pub fn new(stream: R) -> Self {
        Self(FramedRead::new(stream, Codec(LinesCodec::new_with_max_length(MAX_LINE_BYTES))))
    }

    /// Waits for the next line; none at the end. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// The stream broke.
    pub async fn next(&mut self) -> io::Result<Option<Result<String, BadLine>>> {
        self.0.next().await.transpose()
    }
}

/// A bad line is an item here: as an error of the codec it would end the stream, and at the end of the bytes whatever
/// came after it would be lost.
#[derive(Debug)]
struct Codec(LinesCodec);

impl Decoder for Codec {
    type Item = Result<String, BadLine>;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Ok(item(self.0.decode(bytes)))
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Ok(item(self.0.decode_eof(bytes)))
    }
}

fn item(decoded: Result<Option<String>, LinesCodecError>) -> Option<Result<String, BadLine>> {
    match decoded {
        Ok(line) => line.map(Ok),
        Err(LinesCodecError::MaxLineLengthExceeded) => Some(Err(BadLine::Overlong)),
        // Decoding reads no stream, so this is about the bytes.
        Err(LinesCodecError::Io(error)) => Some(Err(BadLine::NotText(error))),
    }
}
