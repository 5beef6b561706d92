//! The words of metrics and logs: a label of a metric and a field of a log line that mean the same thing have the same name.

/// A label, a log field, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its values say.
    pub meaning: &'static str,
    /// Whether metrics have it: only what takes few values may be a label.
    pub is_label: bool,
}

const fn label(name: &'static str, meaning: &'static str) -> Field {
    Field { name, meaning, is_label: true }
}

const fn log_only(name: &'static str, meaning: &'static str) -> Field {
    Field { name, meaning, is_label: false }
}

/// Every label, and every log field that names a thing rather than counts it.
pub const FIELDS: [Field; 20] = [
    log_only("sweep_id", "uuid of a sweep"),
    log_only("experiment_id", "number of an experiment"),
    log_only("job_id", "number of a job"),
    log_only("attempt", "epoch of an attempt: with job_id, one try at a job"),
    log_only("session_id", "uuid of a worker's process start"),
    log_only("worker_id", "a worker's name"),
    log_only("user", "who submitted"),
    label("kind", "what a job does: train, evaluate, inspect"),
    label("state", "where a job stands, or whether a connection is idle or in use"),
    label("outcome", "how an attempt ended: succeeded, failed, infrastructure, crashed, released, cancelled, stopped"),
    log_only("failure_kind", "whose fault a failure was: permanent, own, infrastructure, crash"),
    label("acceptance", "how a result was taken: accepted, duplicate"),
    label("call", "the call by which a worker reported"),
    label("reason", "why something was refused or ended"),
    label("standing", "how a session's lease stands: leased, late, lapsed, draining"),
    label("device", "the device of a session: cpu, cuda"),
    label("method", "service and method of an RPC, such as WorkerService/Claim"),
    label("code", "the gRPC code of an answer, such as OK or UNAVAILABLE"),
    label("direction", "which way bytes went: in, out"),
    label("version", "version of this program"),
];

/// Log fields that say how much, or tell what somebody said: never labels, and no names of things.
pub const DETAILS: [&str; 9] =
    ["address", "digest", "error", "jobs", "message", "refusal", "released", "size", "sweep"];
