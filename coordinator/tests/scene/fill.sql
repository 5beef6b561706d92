-- Gives every job of every sweep a result, as if workers had sent them: numbers that depend on variant, seed, OOD dataset, score and
-- metric, the same in every run.

insert into session (id, worker_name, worker_version, device, memory_bytes, lease_until)
values ('00000000-0000-4000-8000-000000000001', 'filler', '0.1.0', 'cpu', 0, now() + interval '1 day');

insert into artifact (digest, size)
select sha256(convert_to('weights ' || id, 'UTF8')), 1000 from job where kind = 'train'
union
select sha256(convert_to('statistics ' || id, 'UTF8')), 2000 from job where kind = 'evaluate';

insert into attempt (job_id, epoch, session_id) select id, 0, '00000000-0000-4000-8000-000000000001' from job;

insert into attempt_outcome (job_id, epoch, kind, detail, result_digest)
select id, 0, 'succeeded', '', sha256(convert_to('result ' || id, 'UTF8')) from job;

insert into result (job_id, epoch, checkpoint, statistics, worker_version, device, threads, precision, noise_draws)
select
    id, 0,
    case when kind = 'train' then sha256(convert_to('weights ' || id, 'UTF8')) end,
    case when kind = 'evaluate' then sha256(convert_to('statistics ' || id, 'UTF8')) end,
    '0.1.0', 'cpu', 1, 'float32', 1
from job
where kind in ('train', 'evaluate');

update job set state = 'succeeded', epoch = 1 where kind in ('train', 'evaluate');

-- Variants lie apart by 0.1, scores by 0.012, seeds by a few thousandths.
insert into measurement (job_id, score, metric, value, ci_low, ci_high, ci_method, n_in, n_out)
select
    job.id, score.name, metric.name,
    number.value, greatest(0, number.value - 0.01), least(1, number.value + 0.01), 'delong', 10000, 10000
from job
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
join evaluation_target on evaluation_target.job_id = job.id
cross join unnest(array[
    'log-likelihood', 'latent-density', 'log-determinant', 'latent-norm', 'typicality', 'typicality-2', 'typicality-5',
    'typicality-10', 'typicality-25', 'complexity-png', 'complexity-webp', 'complexity-brotli', 'scale-0', 'scale-1', 'scale-2',
    'dose', 'latent-ks-5', 'latent-ks-10', 'latent-ks-25', 'complexity-gmm', 'waic', 'likelihood-ratio', 'gradient-norm',
    'score-test', 'local-dimension'
]) with ordinality as score(name, place)
cross join unnest(array['auroc', 'aupr-out', 'fpr-in-at-95-out']) with ordinality as metric(name, place)
cross join lateral (
    select
        0.2 + 0.1 * (variant.ordinal % 4) + 0.012 * score.place + 0.01 * metric.place
            + 0.0001 * (hashtext(evaluation_target.out_dataset || score.name || variant.ordinal || experiment.seed) % 50) as value
) as number
where job.kind = 'evaluate';

insert into measurement (job_id, score, metric, dataset, value, n_in, n_out)
select
    job.id, 'log-likelihood', metric.name, side.dataset, metric.value + side.more + 0.01 * experiment.seed,
    case when side.dataset = variant.in_dataset then 10000 else 0 end,
    case when side.dataset = variant.in_dataset then 0 else 10000 end
from job
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
join evaluation_target on evaluation_target.job_id = job.id
cross join (values
    ('bits-per-dim-mean', 2.5), ('bits-per-dim-median', 2.4), ('bits-per-dim-trimmed', 2.3), ('outliers', 3), ('non-finite', 0)
) as metric(name, value)
cross join lateral (values (variant.in_dataset, 0), (evaluation_target.out_dataset, 1)) as side(dataset, more)
where job.kind = 'evaluate';

insert into curve_point (job_id, epoch, step, loss_nats, bits_per_dim, gradient_norm)
select id, 0, step, 1000 / step, 3.0 + 1.0 / step, 1 from job cross join unnest(array[10, 20, 30]) as step where kind = 'train';

insert into validation_point (job_id, epoch, step, bits_per_dim, auroc)
select id, 0, step, 3.2 + 1.0 / step, 0.5 from job cross join unnest(array[10, 20]) as step where kind = 'train';

insert into event (sweep_id, job_id, epoch, kind, detail)
select sweep_id, id, 0, 'succeeded', '' from job where kind in ('train', 'evaluate');
