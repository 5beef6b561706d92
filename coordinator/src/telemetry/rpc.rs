//! RPCs: a layer around the whole gRPC server that counts each call once, whatever became of it.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tonic::{Code, Status, body::Body};
use tower_layer::Layer;
use tower_service::Service;

/// Seconds; a claim waits up to 30.
const DURATION_BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
/// What calls of other services (health, reflection) and of methods that do not exist are counted under: a caller cannot invent labels.
const OTHER: &str = "other";
/// Header or trailer with the code of an answer.
const STATUS_HEADER: &str = "grpc-status";
/// As many as gRPC defines.
const CODES: usize = 17;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MethodCode {
    method: String,
    code: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MethodOnly {
    method: String,
}

type Durations = Family<MethodOnly, Histogram, fn() -> Histogram>;

/// Counters of RPCs.
#[derive(Debug)]
pub(super) struct Rpcs {
    methods: HashMap<String, Arc<MethodCounts>>,
    other: Arc<MethodCounts>,
}

/// The counters of one method, each made when it is needed first, and only added to from then on.
#[derive(Debug)]
struct MethodCounts {
    name: String,
    answered: Family<MethodCode, Counter>,
    by_code: [OnceLock<Counter>; CODES],
    durations: Durations,
    duration: OnceLock<Histogram>,
    in_flight: Gauge,
}

/// Puts [`CountedService`] around a server.
#[derive(Debug, Clone)]
pub struct RpcLayer {
    pub(super) rpcs: Arc<Rpcs>,
}

/// A server whose calls are counted.
#[derive(Debug, Clone)]
pub struct CountedService<S> {
    inner: S,
    rpcs: Arc<Rpcs>,
}

/// The body of an answer, whose trailers say how the call ended.
#[derive(Debug)]
pub struct CountedBody {
    inner: Body,
    call: Call,
}

/// A call in flight; counted before its caller hears of its end. One whose caller hung up before that is `CANCELLED`.
#[derive(Debug)]
struct Call {
    counts: Arc<MethodCounts>,
    since: Instant,
    ended: bool,
}

impl Rpcs {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let answered = Family::<MethodCode, Counter>::default();
        let durations = Durations::new_with_constructor(|| Histogram::new(DURATION_BUCKETS));
        let in_flight = Gauge::default();
        let counts = |name: &str| {
            Arc::new(MethodCounts {
                name: name.to_owned(),
                answered: answered.clone(),
                by_code: [const { OnceLock::new() }; CODES],
                durations: durations.clone(),
                duration: OnceLock::new(),
                in_flight: in_flight.clone(),
            })
        };
        let methods = proto::methods().into_iter().map(|method| (method.path, counts(&method.name))).collect();
        let rpcs = Self { methods, other: counts(OTHER) };
        registry.register("rpcs", "RPCs that ended, by gRPC code", answered);
        registry.register("rpc_duration_seconds", "Time from a call's arrival to the end of its answer", durations);
        registry.register("rpcs_in_flight", "RPCs that are being answered", in_flight);
        rpcs
    }

    fn counts(&self, path: &str) -> &Arc<MethodCounts> {
        self.methods.get(path).unwrap_or(&self.other)
    }

    /// How a path is called in logs and metrics.
    pub(super) fn name_of(&self, path: &str) -> &str {
        &self.counts(path).name
    }
}

impl MethodCounts {
    fn ended(&self, code: Code, since: Instant) {
        let counter = self.by_code[code as usize].get_or_init(|| {
            let labels = MethodCode { method: self.name.clone(), code: code_name(code) };
            self.answered.get_or_create_owned(&labels)
        });
        counter.inc();
        let duration =
            self.duration.get_or_init(|| self.durations.get_or_create_owned(&MethodOnly { method: self.name.clone() }));
        duration.observe(since.elapsed().as_secs_f64());
        self.in_flight.dec();
    }
}

impl Call {
    fn begin(counts: &Arc<MethodCounts>) -> Self {
        counts.in_flight.inc();
        Self { counts: Arc::clone(counts), since: Instant::now(), ended: false }
    }

    /// Headers of an answer, or its trailers.
    fn note(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(STATUS_HEADER) {
            self.end(Code::from_bytes(code.as_bytes()));
        }
    }

    fn end(&mut self, code: Code) {
        if !std::mem::replace(&mut self.ended, true) {
            self.counts.ended(code, self.since);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

impl<S> Layer<S> for RpcLayer {
    type Service = CountedService<S>;

    fn layer(&self, inner: S) -> CountedService<S> {
        CountedService { inner, rpcs: Arc::clone(&self.rpcs) }
    }
}

impl<S> Service<Request<Body>> for CountedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<CountedBody>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut call = Call::begin(self.rpcs.counts(request.uri().path()));
        let answered = self.inner.call(request);
        async move {
            let answer = answered.await?;
            call.note(answer.headers());
            Ok(answer.map(|inner| CountedBody { inner, call }))
        }
        .boxed()
    }
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.call.note(trailers);
                }
            }
            Poll::Ready(Some(Err(error))) => self.call.end(error.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The code's name in gRPC's own spelling.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
