//! Requests that never reach a handler: too large, or no message at all. The gRPC library answers them as it would a fault of its own; here
//! they become what they are, the caller's mistake, with the limit and the remedy.

use std::task::{Context, Poll};

use futures::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use tonic::{Code, Status, body::Body};
use tower_layer::Layer;
use tower_service::Service;

/// Largest message that is taken in: a sweep of ten thousand hand-picked points fits.
pub(crate) const MAX_REQUEST_BYTES: usize = 16 << 20;

/// How the library's own answers begin.
const TOO_LARGE: &str = "Error, decoded message length too large";
const NO_MESSAGE: &str = "failed to decode Protobuf message";

/// Puts [`Explaining`] around a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExplainLayer;

/// A server that explains why a request was not read.
#[derive(Debug, Clone)]
pub(crate) struct Explaining<S>(S);

impl<S> Layer<S> for ExplainLayer {
    type Service = Explaining<S>;

    fn layer(&self, inner: S) -> Explaining<S> {
        Explaining(inner)
    }
}

impl<S> Service<Request<Body>> for Explaining<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answered = self.0.call(request);
        async move { answered.await.map(|answer| explanation(&answer).map_or(answer, Status::into_http)) }.boxed()
    }
}

/// A better answer, when the library could not read the request.
fn explanation(answer: &Response<Body>) -> Option<Status> {
    // Answers of handlers carry their code in the trailers, unless they refuse.
    let code = answer.headers().get("grpc-status")?;
    if code == "0" {
        return None;
    }
    let status = Status::from_header_map(answer.headers())?;
    let (code, said) = (status.code(), status.message());
    if code == Code::OutOfRange && said.starts_with(TOO_LARGE) {
        return Some(Status::invalid_argument(format!(
            "the request is too large: at most {} MiB are taken in one message; send less at once, or split the sweep",
            MAX_REQUEST_BYTES >> 20
        )));
    }
    if code == Code::Internal && said.starts_with(NO_MESSAGE) {
        let why = said[NO_MESSAGE.len()..].trim_start_matches(": ");
        return Some(Status::invalid_argument(format!(
            "the request cannot be read ({why}): send what spillway/v1/*.proto describes, with text in UTF-8"
        )));
    }
    None
}
