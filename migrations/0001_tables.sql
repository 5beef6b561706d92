-- The tables of Spillway. Forward only. The checks repeat the rules of `crates/domain`, so that no program can store
-- what the rules forbid.

create domain sha256 as bytea check (octet_length(value) = 32);
-- A number, never NaN or infinite.
create domain finite as double precision check (value > '-infinity' and value < 'infinity');

-- What users submit ---------------------------------------------------------------------------------------------------

create table sweep (
    id uuid primary key,
    name text not null unique check (name ~ '^[a-z0-9_-]{1,64}$'),
    fingerprint sha256 not null,
    idempotency_key text unique check (length(idempotency_key) between 1 and 200),
    document jsonb not null,
    priority smallint not null check (priority between 0 and 100),
    device text not null check (device in ('any', 'cpu', 'cuda')),
    checkpoint_secs integer not null check (checkpoint_secs > 0),
    seeds integer not null check (seeds > 0),
    created_at timestamptz not null default clock_timestamp()
);

-- Immutable documents, stored once however many sweeps use them.
create table experiment_spec (
    fingerprint sha256 primary key,
    document jsonb not null
);

create table variant (
    id bigint generated always as identity primary key,
    sweep_id uuid not null references sweep on delete cascade,
    ordinal integer not null check (ordinal >= 0),
    label text not null,
    fingerprint sha256 not null references experiment_spec,
    in_dataset text not null,
    unique (sweep_id, ordinal),
    unique (sweep_id, fingerprint)
);

create table experiment (
    id bigint generated always as identity primary key,
    sweep_id uuid not null references sweep on delete cascade,
    variant_id bigint not null references variant on delete cascade,
    seed bigint not null check (seed >= 0),
    fingerprint sha256 not null,
    unique (variant_id, seed)
);
create index experiment_sweep on experiment (sweep_id);

-- The queue -----------------------------------------------------------------------------------------------------------

-- One process start of a worker. It holds the lease: the right to run what it claimed until `lease_until`.
create table session (
    id uuid primary key,
    worker_name text not null check (length(worker_name) between 1 and 200),
    worker_version text not null,
    device text not null check (device in ('cpu', 'cuda')),
    memory_bytes bigint not null check (memory_bytes >= 0),
    opened_at timestamptz not null default clock_timestamp(),
    lease_until timestamptz not null,
    drain boolean not null default false,
    closed_at timestamptz,
    close_reason text check (close_reason in ('closed', 'lost')),
    check ((closed_at is null) = (close_reason is null))
) with (fillfactor = 70);
create index session_open on session (lease_until) where closed_at is null;

-- Place in the queue; a job gets a new one on every way into `ready`, so that a claim's lower bound only moves forward.
create sequence ready_seq;

-- The hot table: narrow, no documents, two small partial indexes.
create table job (
    id bigint generated always as identity primary key,
    sweep_id uuid not null references sweep on delete cascade,
    experiment_id bigint not null references experiment on delete cascade,
    depends_on bigint references job on delete cascade,
    kind text not null check (kind in ('train', 'evaluate')),
    state text not null
        check (state in ('blocked', 'ready', 'running', 'succeeded', 'failed', 'cancelled', 'quarantined')),
    device text not null check (device in ('any', 'cpu', 'cuda')),
    priority smallint not null check (priority between 0 and 100),
    epoch integer not null default 0 check (epoch >= 0),
    ready_seq bigint not null default nextval('ready_seq'),
    not_before timestamptz,
    session_id uuid references session,
    failures smallint not null default 0 check (failures >= 0),
    infrastructure_failures smallint not null default 0 check (infrastructure_failures >= 0),
    crashes smallint not null default 0 check (crashes >= 0),
    max_failures smallint not null check (max_failures > 0),
    max_infrastructure_failures smallint not null check (max_infrastructure_failures > 0),
    max_crashes smallint not null check (max_crashes > 0),
    reason text,
    check ((state = 'running') = (session_id is not null)),
    check ((state in ('failed', 'cancelled', 'quarantined')) = (reason is not null)),
    check (not_before is null or state = 'ready'),
    check ((kind = 'evaluate') = (depends_on is not null)),
    check (state <> 'blocked' or depends_on is not null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
-- One queue for each sweep and kind: evaluations go first, so that a table fills while its sweep still trains.
create index job_ready on job (sweep_id, kind, ready_seq) where state = 'ready';
create index job_running on job (session_id) where state = 'running';
-- Counts by state are read from here: a counter row per sweep would make every claim of a sweep wait for the last one.
create index job_sweep on job (sweep_id, state);
create index job_experiment on job (experiment_id);
create index job_depends_on on job (depends_on) where depends_on is not null;

-- The OOD dataset of an evaluate job.
create table evaluation_target (
    job_id bigint primary key references job on delete cascade,
    out_dataset text not null
);

-- History, append only ------------------------------------------------------------------------------------------------

create table attempt (
    job_id bigint not null references job on delete cascade,
    epoch integer not null,
    session_id uuid not null references session,
    started_at timestamptz not null default clock_timestamp(),
    primary key (job_id, epoch)
);

create table attempt_outcome (
    job_id bigint not null,
    epoch integer not null,
    kind text not null check (kind in ('succeeded', 'failed', 'infrastructure', 'crashed', 'released', 'cancelled')),
    detail text not null,
    -- SHA-256 of the result, so that the same report sent twice is told from another one.
    result_digest sha256,
    ended_at timestamptz not null default clock_timestamp(),
    primary key (job_id, epoch),
    foreign key (job_id, epoch) references attempt on delete cascade,
    check ((kind = 'succeeded') = (result_digest is not null))
);

create table event (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    sweep_id uuid not null references sweep on delete cascade,
    job_id bigint references job on delete cascade,
    epoch integer,
    kind text not null,
    detail text not null default ''
);
create index event_sweep on event (sweep_id, id);

-- What workers write, each row under its epoch ------------------------------------------------------------------------

create table artifact (
    digest sha256 primary key,
    size bigint not null check (size >= 0),
    stored_at timestamptz not null default clock_timestamp()
);

create table checkpoint (
    job_id bigint not null references job on delete cascade,
    epoch integer not null,
    step bigint not null check (step >= 0),
    digest sha256 not null references artifact,
    stored_at timestamptz not null default clock_timestamp(),
    primary key (job_id, epoch, step),
    foreign key (job_id, epoch) references attempt on delete cascade
);

create table curve_point (
    job_id bigint not null,
    epoch integer not null,
    step bigint not null check (step > 0),
    loss_nats finite not null,
    bits_per_dim finite not null,
    gradient_norm finite not null,
    primary key (job_id, epoch, step),
    foreign key (job_id, epoch) references attempt on delete cascade
);

create table progress (
    job_id bigint primary key references job on delete cascade,
    epoch integer not null,
    done bigint not null check (done >= 0),
    total bigint not null check (total >= 0),
    images_per_second finite not null,
    bits_per_dim finite,
    reported_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- The accepted result of a job: one row, whatever was sent.
create table result (
    job_id bigint primary key,
    epoch integer not null,
    checkpoint sha256 references artifact,
    statistics sha256 references artifact,
    worker_version text not null,
    device text not null,
    threads integer not null,
    precision text not null,
    noise_draws integer not null,
    accepted_at timestamptz not null default clock_timestamp(),
    foreign key (job_id, epoch) references attempt on delete cascade,
    check ((checkpoint is null) <> (statistics is null))
);

create table measurement (
    job_id bigint not null references result on delete cascade,
    score text not null,
    metric text not null,
    -- Empty when the number compares both sides.
    dataset text not null default '',
    -- Null when it cannot be computed. NaN and infinity are never stored.
    value finite,
    ci_low finite,
    ci_high finite,
    ci_method text,
    n_in bigint not null check (n_in >= 0),
    n_out bigint not null check (n_out >= 0),
    primary key (job_id, score, metric, dataset),
    check ((ci_low is null) = (ci_high is null) and (ci_low is null) = (ci_method is null)),
    check (ci_low <= ci_high),
    check (metric <> 'auroc' or value between 0 and 1)
);
