-- What users read: every number over seeds, each experiment, bits per dimension once for each dataset, a comment on every column, and a
-- role that may read the views and nothing else.

-- Numbers that compare both sides -------------------------------------------------------------------------------------

create view score_table as
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
        sweep.seeds as seeds_planned,
        cell.seeds_undefined,
        coalesce(stopped.seeds, 0) as seeds_stopped,
        cell.seeds < sweep.seeds as partial,
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

comment on view score_table is 'The result table for every metric that compares both sides: one row for each variant, OOD dataset, score and metric, aggregated over seeds. Out-of-distribution is the positive class unless the metric''s name says otherwise.';
comment on column score_table.seeds is 'Seeds that have a number: what mean and sd are over.';
comment on column score_table.seeds_planned is 'Seeds of the sweep.';
comment on column score_table.seeds_undefined is 'Seeds whose number is undefined, since a score was NaN; evaluation counts those examples as non-finite.';
comment on column score_table.seeds_stopped is 'Seeds that early stopping or a budget ended, which will have no result. A variant that has stopped seeds only stands here under the metric auroc, without a number.';
comment on column score_table.partial is 'Whether the row rests on fewer seeds than planned: because they still run, ended without a result, or have no defined number.';
comment on column score_table.mean is 'Mean over seeds, null when none has a number.';
comment on column score_table.sd is 'Sample standard deviation over seeds; null with one seed.';
comment on column score_table.ci_low is 'Lower end of the 95 % confidence interval named by ci_method.';
comment on column score_table.ci_high is 'Upper end of the 95 % confidence interval named by ci_method.';
comment on column score_table.ci_method is 'student-t over seeds: mean ± t(0.975, seeds - 1) · sd / sqrt(seeds), cut at 0 and 1. With one seed: the interval of that number over its examples, if it has one.';
comment on column score_table.n_in is 'In-distribution test examples per seed, the least of all seeds.';
comment on column score_table.n_out is 'Out-of-distribution test examples per seed, the least of all seeds.';
comment on column score_table.device is 'Devices that computed the scores.';
comment on column score_table.worker_version is 'Versions of the workers that computed the scores.';

-- The same columns as before, in the same places, and two more.
create or replace view auroc as
    select
        sweep,
        variant,
        in_dataset,
        out_dataset,
        score,
        seeds,
        seeds_undefined,
        seeds_planned,
        mean as auroc_mean,
        sd as auroc_sd,
        ci_low,
        ci_high,
        ci_method,
        n_in,
        n_out,
        device,
        precision,
        noise_draws,
        variant_ordinal,
        sweep_id,
        seeds_stopped,
        partial,
        worker_version
    from score_table
    where metric = 'auroc'
    order by sweep, variant_ordinal, out_dataset, score;

comment on column auroc.seeds is 'Seeds that have an AUROC: what auroc_mean and auroc_sd are over.';
comment on column auroc.seeds_planned is 'Seeds of the sweep.';
comment on column auroc.partial is 'Whether the row rests on fewer seeds than planned: because they still run, ended without a result, or have no defined AUROC.';
comment on column auroc.worker_version is 'Versions of the workers that computed the scores.';

-- Numbers of one dataset ----------------------------------------------------------------------------------------------

create view bits_per_dim as
    -- Every evaluate job may measure the in-distribution dataset again, with the same result: the first of them counts.
    with number as (
        select distinct on (sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset, metric, seed)
            sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset, metric, seed, value, n_in + n_out as images
        from evaluation
        where dataset is not null and score = 'log-likelihood'
        order by sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset, metric, seed, accepted_at, job_id, score
    ),
    -- No mean where a seed has no value, lest the others speak for it.
    over_seeds as (
        select
            sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset, metric,
            count(*) as seeds,
            max(images) as images,
            case when count(value) = count(*) then avg(value) end as mean,
            case when count(value) = count(*) then stddev_samp(value) end as sd,
            case when count(value) = count(*) then sum(value) end as total
        from number
        group by sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset, metric
    ),
    wide as (
        select
            sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset,
            max(seeds) as seeds,
            max(images) as images,
            max(mean) filter (where metric = 'bits-per-dim-mean') as mean,
            max(sd) filter (where metric = 'bits-per-dim-mean') as mean_sd,
            max(mean) filter (where metric = 'bits-per-dim-median') as median,
            max(sd) filter (where metric = 'bits-per-dim-median') as median_sd,
            max(mean) filter (where metric = 'bits-per-dim-trimmed') as trimmed,
            max(sd) filter (where metric = 'bits-per-dim-trimmed') as trimmed_sd,
            max(total) filter (where metric = 'outliers') as outliers,
            max(total) filter (where metric = 'non-finite') as non_finite
        from over_seeds
        group by sweep_id, sweep, variant_ordinal, variant, in_dataset, dataset
    )
    select
        wide.sweep,
        wide.variant,
        wide.dataset,
        wide.dataset = wide.in_dataset as in_distribution,
        wide.seeds,
        sweep.seeds as seeds_planned,
        wide.seeds < sweep.seeds as partial,
        wide.images,
        wide.mean as bits_per_dim_mean,
        wide.mean_sd as bits_per_dim_mean_sd,
        wide.median as bits_per_dim_median,
        wide.median_sd as bits_per_dim_median_sd,
        wide.trimmed as bits_per_dim_trimmed,
        wide.trimmed_sd as bits_per_dim_trimmed_sd,
        wide.outliers,
        wide.non_finite,
        wide.variant_ordinal,
        wide.sweep_id
    from wide
    join sweep on sweep.id = wide.sweep_id
    order by wide.sweep, wide.variant_ordinal, wide.dataset <> wide.in_dataset, wide.dataset;

comment on view bits_per_dim is 'How well flows compress test examples: one row for each variant and dataset, aggregated over seeds; the in-distribution dataset counts once, however many OOD datasets it was compared with.';
comment on column bits_per_dim.dataset is 'The dataset whose test split was measured.';
comment on column bits_per_dim.in_distribution is 'Whether it is the dataset that the flow learned.';
comment on column bits_per_dim.seeds is 'Seeds that were measured.';
comment on column bits_per_dim.seeds_planned is 'Seeds of the sweep.';
comment on column bits_per_dim.partial is 'Whether fewer seeds than planned were measured.';
comment on column bits_per_dim.images is 'Test examples per seed.';
comment on column bits_per_dim.bits_per_dim_mean is 'Mean over seeds of the mean over examples of -log2 p(x) / D (textbook discrete bound); null when a seed has no value, which the others could not speak for.';
comment on column bits_per_dim.bits_per_dim_mean_sd is 'Sample standard deviation of that mean over seeds; null with one seed.';
comment on column bits_per_dim.bits_per_dim_median is 'Mean over seeds of the median over examples.';
comment on column bits_per_dim.bits_per_dim_median_sd is 'Sample standard deviation of that median over seeds; null with one seed.';
comment on column bits_per_dim.bits_per_dim_trimmed is 'Mean over seeds of the mean without the least likely twentieth of the examples.';
comment on column bits_per_dim.bits_per_dim_trimmed_sd is 'Sample standard deviation of that trimmed mean over seeds; null with one seed.';
comment on column bits_per_dim.outliers is 'Examples far beyond the median likelihood, counted over all seeds.';
comment on column bits_per_dim.non_finite is 'Examples whose likelihood is NaN or infinite, counted over all seeds.';

-- Experiments ---------------------------------------------------------------------------------------------------------

create view experiment_overview as
    select
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        case
            when jobs.running > 0 then 'running'
            when jobs.succeeded = jobs.total then 'succeeded'
            when jobs.waiting > 0 then 'ready'
            when jobs.failed > 0 then 'failed'
            when jobs.quarantined > 0 then 'quarantined'
            when jobs.cancelled > 0 then 'cancelled'
            else 'stopped'
        end as state,
        jobs.succeeded as jobs_done,
        jobs.total as jobs_total,
        variant.in_dataset,
        experiment_spec.document as settings,
        encode(trained.checkpoint, 'hex') as checkpoint,
        trained.accepted_at as trained_at,
        variant.ordinal as variant_ordinal,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from experiment
    join sweep on sweep.id = experiment.sweep_id
    join variant on variant.id = experiment.variant_id
    join experiment_spec on experiment_spec.fingerprint = variant.fingerprint
    cross join lateral (
        select
            count(*) as total,
            count(*) filter (where state = 'succeeded') as succeeded,
            count(*) filter (where state = 'running') as running,
            count(*) filter (where state in ('ready', 'blocked')) as waiting,
            count(*) filter (where state = 'failed') as failed,
            count(*) filter (where state = 'quarantined') as quarantined,
            count(*) filter (where state = 'cancelled') as cancelled
        from job
        where job.experiment_id = experiment.id
    ) as jobs
    left join lateral (
        select result.checkpoint, result.accepted_at
        from job
        join result on result.job_id = job.id
        where job.experiment_id = experiment.id and job.kind = 'train'
    ) as trained on true;

comment on view experiment_overview is 'Every experiment: its settings, how far it is, and the checkpoint that it ended with.';
comment on column experiment_overview.state is 'running while a job of it runs; ready while one waits; succeeded when all have a result; else the worst end of its jobs: failed, quarantined, cancelled or stopped.';
comment on column experiment_overview.jobs_done is 'Its jobs with a result.';
comment on column experiment_overview.jobs_total is 'Its jobs in all: the training, an evaluation for each OOD dataset, the inspection if there is one.';
comment on column experiment_overview.settings is 'The whole document of the experiment with every default written out: settings #>> ''{model,realnvp,mask}'' is one setting as text.';
comment on column experiment_overview.checkpoint is 'SHA-256 of the trained flow: what `spillway checkpoint` and `training.initial_weights` take; null until it is trained.';
comment on column experiment_overview.trained_at is 'When the training''s result was accepted.';

-- A comment on every column -------------------------------------------------------------------------------------------

comment on column evaluation.value is 'The number; null when it cannot be computed. Means and medians are over the finite values, and non-finite counts the others.';
comment on column evaluation.threads is 'Threads of the tensor library.';
comment on column job_overview.kind is 'train, evaluate or inspect.';
comment on column job_overview.out_dataset is 'The OOD dataset of an evaluate job.';
comment on column job_overview.failures is 'Failures of its own that it has spent.';
comment on column job_overview.infrastructure_failures is 'Failures of the infrastructure that it has spent.';
comment on column job_overview.crashes is 'Crashes that it has spent.';
comment on column job_overview.worker is 'Who runs or ran the newest attempt.';
comment on column job_overview.started_at is 'When the newest attempt began, on the clock of Postgres.';
comment on column job_overview.ended_at is 'When the newest attempt ended; null while it runs.';
comment on column job_overview.images_per_second is 'Pace of the newest attempt, as last reported.';
comment on column job_overview.bits_per_dim is 'Bits per dimension of the batches since the report before, as last reported.';
comment on column job_overview.priority is 'Priority of its sweep, 0 to 100.';
comment on column job_overview.not_before is 'A ready job that failed before is not tried again before this time.';
comment on column training_curve.step is 'Optimiser steps done.';
comment on column stopping_report.step is 'Optimiser steps done.';
comment on column stopping_report.reported_at is 'When the report came, on the clock of Postgres.';

-- Columns that several views share mean the same in all of them: said once.
do $$
    declare
        missing record;
    begin
        for missing in
            select pg_class.relname as view, pg_attribute.attname as name, shared.meaning
            from (values
                ('sweep', 'Name of the sweep.'),
                ('variant', 'The settings that tell the variant apart.'),
                ('variant_ordinal', 'Place of the variant in the tables of the sweep.'),
                ('seed', 'Seed of the experiment.'),
                ('in_dataset', 'In-distribution dataset: the flow learned its train split; its test split is the negative side.'),
                ('out_dataset', 'Out-of-distribution dataset: its test split is the positive side.'),
                ('score', 'Maps an example to a number, higher = more out-of-distribution. log-likelihood is the negative log-likelihood in nats.'),
                ('metric', 'What was computed from the scores of both sides, such as auroc.'),
                ('n_in', 'In-distribution test examples.'),
                ('n_out', 'Out-of-distribution test examples.'),
                ('device', 'Device that computed it.'),
                ('precision', 'Arithmetic of the flow.'),
                ('noise_draws', 'Dequantisation draws per example.'),
                ('threads', 'Threads of the tensor library.'),
                ('worker_version', 'Version of the worker.'),
                ('accepted_at', 'When the result was accepted, on the clock of Postgres.'),
                ('sweep_id', 'Identity of the sweep.'),
                ('experiment_id', 'Identity of the experiment.'),
                ('job_id', 'Identity of the job.')
            ) as shared (name, meaning)
            join pg_attribute on pg_attribute.attname = shared.name
            join pg_class on pg_class.oid = pg_attribute.attrelid
            where pg_class.relkind = 'v'
                and pg_class.relnamespace = current_schema()::regnamespace
                and col_description(pg_class.oid, pg_attribute.attnum) is null
        loop
            execute format('comment on column %I.%I is %L', missing.view, missing.name, missing.meaning);
        end loop;
    end
$$;

-- Who may read --------------------------------------------------------------------------------------------------------

-- Roles belong to the server, not to this database: another database may have made it, at this very moment too. Who runs this
-- may lack the right to make roles; then the views work as before, for their owner.
do $$
    begin
        if not exists (select from pg_roles where rolname = 'spillway_reader') then
            create role spillway_reader nologin;
        end if;
    exception
        when duplicate_object or unique_violation then
            null;
        when insufficient_privilege then
            raise notice 'the role spillway_reader was not made: whoever may make roles runs `create role spillway_reader`';
    end
$$;

-- Lets the role spillway_reader read every view of this schema, and tells how many it could not read before. Postgres's default
-- privileges do not tell views from tables, so that coordinators call this whenever they start, after the migrations.
create function grant_views_to_reader() returns bigint
    language plpgsql
    as $$
        declare
            unread text;
            granted bigint := 0;
        begin
            if not exists (select from pg_roles where rolname = 'spillway_reader') then
                return 0;
            end if;
            -- Two grants of one view at once would fail.
            perform pg_advisory_xact_lock(hashtext('grant_views_to_reader'));
            if not has_schema_privilege('spillway_reader', current_schema(), 'usage') then
                execute format('grant usage on schema %I to spillway_reader', current_schema());
            end if;
            for unread in
                select relname
                from pg_class
                where relkind = 'v'
                    and relnamespace = current_schema()::regnamespace
                    and pg_has_role(relowner, 'usage')
                    -- What an extension put here is not ours to show.
                    and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
                    and not has_table_privilege('spillway_reader', pg_class.oid, 'select')
            loop
                execute format('grant select on %I to spillway_reader', unread);
                granted := granted + 1;
            end loop;
            return granted;
        end
    $$;
select grant_views_to_reader();
