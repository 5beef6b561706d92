-- Trainings that make room for more important sweeps, and jobs that find their checkpoint on the worker's own disk.

-- Whether a training of the sweep may be stopped at a checkpoint, to go on later.
alter table sweep add column preemptible boolean not null default true;

-- Append only: which attempt was told to make room, and for which job. The attempt's heartbeats bring the word to the worker.
create table preemption (
    job_id bigint not null references job on delete cascade,
    epoch integer not null check (epoch >= 0),
    for_job_id bigint not null references job on delete cascade,
    for_epoch integer not null check (for_epoch >= 0),
    reason text not null check (length(reason) > 0),
    told_at timestamptz not null default clock_timestamp(),
    primary key (job_id, epoch),
    check (job_id <> for_job_id)
);
create index preemption_for on preemption (for_job_id, for_epoch);

-- From a checkpoint that lies on a worker's disk to the train job whose result it is, and on to the jobs that need it.
create index result_checkpoint on result (checkpoint) where checkpoint is not null;
