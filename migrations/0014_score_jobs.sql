-- Scores as jobs of their own: arithmetic over stored statistics (score), and scores for which the flow runs again (probe). They may
-- wait for several jobs.

alter table job
    drop constraint job_kind_check,
    add constraint job_kind_check check (kind in ('train', 'evaluate', 'inspect', 'score', 'probe')),
    -- Jobs are locked in the order of their ids, and what waits comes after what it waits for: the rules decide on whole chains
    -- in one walk (`crates/store/src/transition.rs`).
    add constraint job_depends_on_earlier_check check (depends_on < id);

-- What a job waits for beside `job.depends_on`, written with the job and never changed.
create table job_dependency (
    job_id bigint not null references job on delete cascade,
    parent_id bigint not null references job on delete cascade,
    primary key (job_id, parent_id),
    check (parent_id < job_id)
);
create index job_dependency_parent on job_dependency (parent_id);

-- The scores of a score or probe job; its OOD dataset stands in `evaluation_target`, as an evaluate job's.
create table score_target (
    job_id bigint primary key references job on delete cascade,
    scores text[] not null check (cardinality(scores) > 0)
);
