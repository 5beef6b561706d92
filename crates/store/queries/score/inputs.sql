-- What these jobs compute, and of what: one row for each evaluation that one rests on, its own first, then by seed.
select
    job.id as "job_id!",
    evaluation_target.out_dataset as "out_dataset!",
    score_target.scores as "scores!",
    parent.experiment_id = job.experiment_id as "is_own!",
    experiment.seed as "seed!",
    reference.digest as "reference?: Vec<u8>",
    inside.digest as "inside!: Vec<u8>",
    outside.digest as "outside!: Vec<u8>",
    trained.checkpoint as "trained?: Vec<u8>",
    (
        select max(checkpoint.step)
        from checkpoint
        where checkpoint.job_id = trained.job_id and checkpoint.digest = trained.checkpoint
    ) as "trained_step?"
from unnest($1::bigint[]) as claimed(id)
join job on job.id = claimed.id
join score_target on score_target.job_id = job.id
join evaluation_target on evaluation_target.job_id = job.id
cross join lateral (
    select job.depends_on as id
    union
    select job_dependency.parent_id from job_dependency where job_dependency.job_id = job.id
) as named
join job as parent on parent.id = named.id and parent.kind = 'evaluate'
join experiment on experiment.id = parent.experiment_id
join variant on variant.id = experiment.variant_id
join result as trained on trained.job_id = parent.depends_on
-- Training recorded the learned dataset, or else the evaluation did.
left join lateral (
    select digest
    from recorded_statistics
    where job_id in (parent.depends_on, parent.id) and dataset = variant.in_dataset and split = 'train'
    order by job_id
    limit 1
) as reference on true
cross join lateral (
    select digest
    from recorded_statistics
    where job_id in (parent.depends_on, parent.id) and dataset = variant.in_dataset and split = 'test'
    order by job_id
    limit 1
) as inside
join recorded_statistics as outside
    on outside.job_id = parent.id and outside.dataset = evaluation_target.out_dataset and outside.split = 'test'
order by job.id, parent.experiment_id <> job.experiment_id, experiment.seed
