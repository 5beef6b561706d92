-- The views that users query. Their names and columns are stable; `\d+ auroc` in psql explains each column.

-- The quantile t(0.975, df) of Student's t distribution, for 95 % intervals of a mean over seeds.
create function student_t_975(df bigint) returns double precision
    language sql immutable strict parallel safe
    as $$
        select case
            when df < 1 then null
            -- The expansion in powers of 1 / df (Abramowitz and Stegun 1964, 26.7.5); its error is below 1e-6 here.
            when df > 30 then 1.959963985 + 2.372271 / df + 2.822499 / (df::double precision ^ 2) + 2.555850 / (df::double precision ^ 3)
            else (array[
                12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
                2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963,
                2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272
            ]::double precision[])[df]
        end
    $$;

create view evaluation as
    select
        sweep.name as sweep,
        variant.label as variant,
        variant.ordinal as variant_ordinal,
        experiment.seed,
        variant.in_dataset,
        evaluation_target.out_dataset,
        measurement.score,
        measurement.metric,
        nullif(measurement.dataset, '') as dataset,
        measurement.value,
        measurement.ci_low,
        measurement.ci_high,
        measurement.ci_method,
        measurement.n_in,
        measurement.n_out,
        result.device,
        result.precision,
        result.noise_draws,
        result.threads,
        result.worker_version,
        encode(result.statistics, 'hex') as statistics,
        result.accepted_at,
        sweep.id as sweep_id,
        experiment.id as experiment_id,
        result.job_id
    from measurement
    join result using (job_id)
    join job on job.id = result.job_id
    join evaluation_target on evaluation_target.job_id = job.id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id;

create view auroc as
    with cell as (
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
        cell.sweep_id
    from cell
    join sweep on sweep.id = cell.sweep_id
    order by cell.sweep, cell.variant_ordinal, cell.out_dataset, cell.score;

create view job_overview as
    select
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        job.kind,
        evaluation_target.out_dataset,
        job.state,
        job.reason,
        job.epoch,
        (select count(*) from attempt where attempt.job_id = job.id) as attempts,
        job.failures,
        job.infrastructure_failures,
        job.crashes,
        session.worker_name as worker,
        latest.started_at,
        outcome.ended_at,
        progress.done,
        progress.total,
        progress.images_per_second,
        progress.bits_per_dim,
        job.priority,
        job.not_before,
        variant.ordinal as variant_ordinal,
        job.id as job_id,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from job
    join sweep on sweep.id = job.sweep_id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    left join evaluation_target on evaluation_target.job_id = job.id
    left join lateral (
        select attempt.epoch, attempt.session_id, attempt.started_at
        from attempt
        where attempt.job_id = job.id
        order by attempt.epoch desc
        limit 1
    ) as latest on true
    left join attempt_outcome as outcome on outcome.job_id = job.id and outcome.epoch = latest.epoch
    left join session on session.id = latest.session_id
    left join progress on progress.job_id = job.id and progress.epoch = latest.epoch;

-- A resumed attempt repeats the steps after its checkpoint with the same bits; each step is shown once, from the newest.
create view training_curve as
    select distinct on (curve_point.job_id, curve_point.step)
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        curve_point.step,
        curve_point.loss_nats,
        curve_point.bits_per_dim,
        curve_point.gradient_norm,
        curve_point.epoch,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from curve_point
    join job on job.id = curve_point.job_id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    order by curve_point.job_id, curve_point.step, curve_point.epoch desc;

comment on view auroc is 'The result table: one row for each variant, OOD dataset and score, aggregated over seeds. Out-of-distribution is the positive class: 0.5 is chance, below 0.5 the OOD images look more in-distribution than the test images themselves.';
comment on column auroc.sweep is 'Name of the sweep.';
comment on column auroc.variant is 'The settings that tell the variant apart.';
comment on column auroc.in_dataset is 'In-distribution dataset: the flow learned its train split; its test split is the negative side.';
comment on column auroc.out_dataset is 'Out-of-distribution dataset: its test split is the positive side.';
comment on column auroc.score is 'Maps an image to a number, higher = more out-of-distribution. log-likelihood is the negative log-likelihood in nats, one dequantisation draw per image.';
comment on column auroc.seeds is 'Seeds with an accepted result so far.';
comment on column auroc.seeds_planned is 'Seeds of the sweep: the row is partial while seeds is smaller.';
comment on column auroc.seeds_undefined is 'Seeds whose AUROC is undefined, since a likelihood was NaN; evaluation counts those images as non-finite.';
comment on column auroc.device is 'Devices that computed the scores.';
comment on column auroc.precision is 'Arithmetic of the flows.';
comment on column auroc.noise_draws is 'Dequantisation draws per image.';
comment on column auroc.auroc_mean is 'Mean AUROC over seeds, null when none is defined; AUROC = P(score out > score in) + P(equal) / 2.';
comment on column auroc.auroc_sd is 'Sample standard deviation of the AUROC over seeds; null with one seed.';
comment on column auroc.ci_low is 'Lower end of the 95 % confidence interval named by ci_method.';
comment on column auroc.ci_high is 'Upper end of the 95 % confidence interval named by ci_method.';
comment on column auroc.ci_method is 'student-t over seeds: mean ± t(0.975, seeds - 1) · sd / sqrt(seeds), cut at 0 and 1. With one seed: the interval of that AUROC over its images (delong, or its fallback at 0 and 1).';
comment on column auroc.n_in is 'In-distribution test images per seed.';
comment on column auroc.n_out is 'Out-of-distribution test images per seed.';
comment on column auroc.variant_ordinal is 'Place of the variant in the table.';
comment on column auroc.sweep_id is 'Identity of the sweep.';

comment on view evaluation is 'Every accepted number: one row for each experiment, OOD dataset, score and metric.';
comment on column evaluation.metric is 'auroc; bits-per-dim-mean and bits-per-dim-median (textbook discrete bound, in bits per dimension); outliers and non-finite (counts of images).';
comment on column evaluation.dataset is 'The dataset measured; null when the number compares both sides.';
comment on column evaluation.value is 'The number; null when it cannot be computed. Means and medians are over the finite values, and non-finite counts the others.';
comment on column evaluation.ci_low is 'Lower end of the 95 % confidence interval over images.';
comment on column evaluation.ci_high is 'Upper end of the 95 % confidence interval over images.';
comment on column evaluation.ci_method is 'How the interval was computed: delong (DeLong, DeLong and Clarke-Pearson 1988), or its fallback where that degenerates.';
comment on column evaluation.n_in is 'In-distribution images the number rests on.';
comment on column evaluation.n_out is 'Out-of-distribution images the number rests on.';
comment on column evaluation.precision is 'Arithmetic of the flow.';
comment on column evaluation.noise_draws is 'Dequantisation draws per image.';
comment on column evaluation.statistics is 'SHA-256 of the artifact that holds the log-likelihood of every image.';

comment on view job_overview is 'Every job: where it stands, what it has spent, who runs or ran its newest attempt, and how far that is.';
comment on column job_overview.state is 'blocked, ready, running, succeeded, failed, cancelled or quarantined.';
comment on column job_overview.reason is 'Why a failed, cancelled or quarantined job ended.';
comment on column job_overview.epoch is 'Fencing token: grows at every exit from running.';
comment on column job_overview.attempts is 'Attempts so far, the running one included.';
comment on column job_overview.done is 'Steps (train) or images (evaluate) done by the newest attempt.';
comment on column job_overview.total is 'Steps or images in all.';

comment on view training_curve is 'Training loss of every experiment: means over the steps since the last point.';
comment on column training_curve.loss_nats is 'Mean negative log-likelihood of the training batches in nats per image, batch normalisation in training mode.';
comment on column training_curve.bits_per_dim is 'The same in bits per dimension.';
comment on column training_curve.gradient_norm is 'Mean global gradient norm before clipping.';
comment on column training_curve.epoch is 'The attempt that reported the point.';
