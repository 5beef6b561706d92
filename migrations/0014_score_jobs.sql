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

-- What users read -----------------------------------------------------------------------------------------------------

create or replace view score_table as
    with measured as (
        select
            sweep_id, sweep, variant, variant_ordinal, in_dataset, out_dataset, score, metric,
            count(value) as seeds,
            count(*) - count(value) as seeds_undefined,
            avg(value) as mean,
            stddev_samp(value) as sd,
            min(ci_low) as only_low,
            min(ci_high) as only_high,
            min(ci_method) as only_method,
            min(n_in) as n_in,
            min(n_out) as n_out,
            string_agg(distinct device, ', ') as device,
            string_agg(distinct precision, ', ') as precision,
            min(noise_draws) as noise_draws,
            string_agg(distinct worker_version, ', ') as worker_version
        from evaluation
        where dataset is null
        group by sweep_id, sweep, variant, variant_ordinal, in_dataset, out_dataset, score, metric
    ),
    -- What has stopped seeds only stands in the table without a number.
    unmeasured as (
        select distinct
            job.sweep_id, sweep.name as sweep, variant.label as variant, variant.ordinal as variant_ordinal,
            variant.in_dataset, evaluation_target.out_dataset, score.name as score, 'auroc' as metric
        from job
        join sweep on sweep.id = job.sweep_id
        join evaluation_target on evaluation_target.job_id = job.id
        join experiment on experiment.id = job.experiment_id
        join variant on variant.id = experiment.variant_id
        join experiment_spec on experiment_spec.fingerprint = variant.fingerprint
        cross join lateral jsonb_array_elements_text(experiment_spec.document #> '{evaluation,scores}') as score(name)
        where job.state = 'stopped'
            and not exists (
                select
                from experiment as other
                join job as evaluation on evaluation.experiment_id = other.id
                join evaluation_target as target on target.job_id = evaluation.id
                where other.variant_id = variant.id
                    and evaluation.state = 'succeeded'
                    and target.out_dataset = evaluation_target.out_dataset
            )
    ),
    cell as (
        select * from measured
        union all
        select
            sweep_id, sweep, variant, variant_ordinal, in_dataset, out_dataset, score, metric,
            0, 0, null, null, null, null, null, 0, 0, null, null, null, null
        from unmeasured
    ),
    stopped as (
        select job.sweep_id, variant.ordinal as variant_ordinal, count(*) as seeds
        from job
        join experiment on experiment.id = job.experiment_id
        join variant on variant.id = experiment.variant_id
        where job.state = 'stopped' and job.kind = 'train'
        group by job.sweep_id, variant.ordinal
    )
    select
        cell.sweep,
        cell.variant,
        cell.in_dataset,
        cell.out_dataset,
        cell.score,
        cell.metric,
        cell.seeds,
        -- A score over seeds stands once, under the first of them.
        case when cell.score = 'waic' then 1 else sweep.seeds end as seeds_planned,
        cell.seeds_undefined,
        coalesce(stopped.seeds, 0) as seeds_stopped,
        cell.seeds < case when cell.score = 'waic' then 1 else sweep.seeds end as partial,
        cell.mean,
        cell.sd,
        -- Every one of these metrics is a fraction or a mean of fractions.
        case
            when cell.seeds = 1 then cell.only_low
            when cell.seeds > 1 then greatest(0, cell.mean - student_t_975(cell.seeds - 1) * cell.sd / sqrt(cell.seeds))
        end as ci_low,
        case
            when cell.seeds = 1 then cell.only_high
            when cell.seeds > 1 then least(1, cell.mean + student_t_975(cell.seeds - 1) * cell.sd / sqrt(cell.seeds))
        end as ci_high,
        case when cell.seeds = 1 then cell.only_method when cell.seeds > 1 then 'student-t over seeds' end as ci_method,
        cell.n_in,
        cell.n_out,
        cell.device,
        cell.precision,
        cell.noise_draws,
        cell.worker_version,
        cell.variant_ordinal,
        cell.sweep_id
    from cell
    join sweep on sweep.id = cell.sweep_id
    left join stopped on stopped.sweep_id = cell.sweep_id and stopped.variant_ordinal = cell.variant_ordinal
    order by cell.sweep, cell.variant_ordinal, cell.out_dataset, cell.score, cell.metric;

comment on column score_table.seeds_planned is 'Seeds of the sweep; 1 for a score over seeds (waic), which stands once for each variant.';
comment on column auroc.seeds_planned is 'Seeds of the sweep; 1 for a score over seeds (waic), which stands once for each variant.';
comment on column job_overview.kind is 'train, evaluate, inspect, score (scores from stored statistics) or probe (scores that run the flow again).';
comment on column job_overview.out_dataset is 'The OOD dataset of an evaluate, score or probe job.';
comment on column job_event.kind is 'train, evaluate, inspect, score or probe.';
comment on column job_event.out_dataset is 'The OOD dataset of an evaluate, score or probe job.';
comment on column evaluation.statistics is 'SHA-256 of the artifact behind the number: per-image statistics of the OOD side, or, of a score or probe job, the per-image scores of both sides.';
