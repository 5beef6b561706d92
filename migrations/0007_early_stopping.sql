-- Early stopping and budgets: experiments that the sweep's own rule ends, and what validation measures during training.

alter table sweep
    -- The rule, out of the document: a report looks here, and most sweeps have none.
    add column early_stopping jsonb,
    add column device_hours double precision check (device_hours > 0 and device_hours < 'infinity');
create index sweep_device_hours on sweep (id) where device_hours is not null;

alter table job
    drop constraint job_state_check,
    add constraint job_state_check check (
        state in ('blocked', 'ready', 'running', 'succeeded', 'failed', 'cancelled', 'quarantined', 'stopped')
    ),
    -- The check of 0001 that a job without a result says why.
    drop constraint job_check1,
    add constraint job_reason_check
        check ((state in ('failed', 'cancelled', 'quarantined', 'stopped')) = (reason is not null));

alter table attempt_outcome
    drop constraint attempt_outcome_kind_check,
    add constraint attempt_outcome_kind_check check (
        kind in ('succeeded', 'failed', 'infrastructure', 'crashed', 'released', 'cancelled', 'stopped')
    );

-- As `curve_point`, each row under its epoch.
create table validation_point (
    job_id bigint not null,
    epoch integer not null,
    step bigint not null check (step > 0),
    -- Null when a likelihood is not finite.
    bits_per_dim finite,
    -- Null when there is no dataset to compare with, or the AUROC is undefined.
    auroc finite check (auroc between 0 and 1),
    primary key (job_id, epoch, step),
    foreign key (job_id, epoch) references attempt on delete cascade
);

-- The first report of each experiment at each step that the rule looks at, in the order in which they came: rows are
-- written one transaction at a time for each sweep. What stands here decides; a resumed attempt that repeats a report
-- changes nothing.
create table rung_report (
    place bigint generated always as identity,
    sweep_id uuid not null references sweep on delete cascade,
    job_id bigint not null references job on delete cascade,
    epoch integer not null,
    step bigint not null check (step > 0),
    -- The metric at this step, and the best and the mean of this experiment's reports up to it; null where there is no number.
    value finite,
    best finite,
    mean finite,
    -- Null when the experiment went on.
    stop_reason text,
    reported_at timestamptz not null default clock_timestamp(),
    primary key (job_id, step)
);
create index rung_report_step on rung_report (sweep_id, step, place);

create view validation_curve as
    select distinct on (validation_point.job_id, validation_point.step)
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        validation_point.step,
        validation_point.bits_per_dim,
        validation_point.auroc,
        validation_point.epoch,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from validation_point
    join job on job.id = validation_point.job_id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    order by validation_point.job_id, validation_point.step, validation_point.epoch desc;

comment on view validation_curve is 'What the held-out examples said of every flow while it trained. A resumed attempt repeats points with the same bits; each step is shown once, from the newest.';
comment on column validation_curve.step is 'Optimiser steps done.';
comment on column validation_curve.bits_per_dim is 'Mean bits per dimension of the held-out examples in evaluation mode; null when a likelihood is not finite.';
comment on column validation_curve.auroc is 'AUROC of the held-out examples against examples of the train split of training.validation.out; null when there is none or it is undefined.';
comment on column validation_curve.epoch is 'The attempt that reported the point.';

create view stopping_report as
    select
        sweep.name as sweep,
        rung_report.step,
        row_number() over (partition by rung_report.sweep_id, rung_report.step order by rung_report.place) as turn,
        variant.label as variant,
        experiment.seed,
        rung_report.value,
        rung_report.best,
        rung_report.mean,
        rung_report.stop_reason,
        rung_report.reported_at,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from rung_report
    join job on job.id = rung_report.job_id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = rung_report.sweep_id;

comment on view stopping_report is 'What early stopping decided, one row for each experiment and step that the rule looked at.';
comment on column stopping_report.turn is 'Place among the reports of this step: an experiment was compared with those before it.';
comment on column stopping_report.value is 'The metric of the sweep''s rule at this step; null when it was no number.';
comment on column stopping_report.best is 'The best of this experiment''s values up to this step.';
comment on column stopping_report.mean is 'The mean of this experiment''s values up to this step.';
comment on column stopping_report.stop_reason is 'Why the experiment was stopped; null when it went on.';

-- The result table marks what was stopped: a column more, and a row for what has stopped seeds only.
create or replace view auroc as
    with measured as (
        select
            sweep_id, sweep, variant, variant_ordinal, in_dataset, out_dataset, score,
            count(value) as seeds,
            count(*) - count(value) as seeds_undefined,
            avg(value) as auroc_mean,
            stddev_samp(value) as auroc_sd,
            min(ci_low) as only_low,
            min(ci_high) as only_high,
            min(ci_method) as only_method,
            min(n_in) as n_in,
            min(n_out) as n_out,
            string_agg(distinct device, ', ') as device,
            string_agg(distinct precision, ', ') as precision,
            min(noise_draws) as noise_draws
        from evaluation
        where metric = 'auroc'
        group by sweep_id, sweep, variant, variant_ordinal, in_dataset, out_dataset, score
    ),
    unmeasured as (
        select distinct
            job.sweep_id, sweep.name as sweep, variant.label as variant, variant.ordinal as variant_ordinal,
            variant.in_dataset, evaluation_target.out_dataset, score.name as score
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
            sweep_id, sweep, variant, variant_ordinal, in_dataset, out_dataset, score,
            0, 0, null, null, null, null, null, 0, 0, null, null, null
        from unmeasured
    )
    select
        cell.sweep,
        cell.variant,
        cell.in_dataset,
        cell.out_dataset,
        cell.score,
        cell.seeds,
        cell.seeds_undefined,
        sweep.seeds as seeds_planned,
        cell.auroc_mean,
        cell.auroc_sd,
        case
            when cell.seeds = 1 then cell.only_low
            when cell.seeds > 1 then greatest(0, cell.auroc_mean - student_t_975(cell.seeds - 1) * cell.auroc_sd / sqrt(cell.seeds))
        end as ci_low,
        case
            when cell.seeds = 1 then cell.only_high
            when cell.seeds > 1 then least(1, cell.auroc_mean + student_t_975(cell.seeds - 1) * cell.auroc_sd / sqrt(cell.seeds))
        end as ci_high,
        case when cell.seeds = 1 then cell.only_method when cell.seeds > 1 then 'student-t over seeds' end as ci_method,
        cell.n_in,
        cell.n_out,
        cell.device,
        cell.precision,
        cell.noise_draws,
        cell.variant_ordinal,
        cell.sweep_id,
        stopped.seeds as seeds_stopped
    from cell
    join sweep on sweep.id = cell.sweep_id
    cross join lateral (
        select count(*) as seeds
        from job
        join experiment on experiment.id = job.experiment_id
        join variant on variant.id = experiment.variant_id
        where job.sweep_id = cell.sweep_id
            and job.state = 'stopped'
            and job.kind = 'train'
            and variant.ordinal = cell.variant_ordinal
    ) as stopped
    order by cell.sweep, cell.variant_ordinal, cell.out_dataset, cell.score;

comment on column auroc.seeds_stopped is 'Seeds that early stopping or a budget ended, which will have no result. A variant that has stopped seeds only stands here without an AUROC.';
comment on column job_overview.state is 'blocked, ready, running, succeeded, failed, cancelled, quarantined or stopped (by early stopping or a budget).';
comment on column job_overview.reason is 'Why a failed, cancelled, quarantined or stopped job ended.';
