-- Which artifact holds the trained flow of each experiment, for `spillway checkpoint` and `training.initial_weights`.

create view trained_model as
    select
        sweep.name as sweep,
        experiment.id as experiment_id,
        variant.label as variant,
        experiment.seed,
        variant.in_dataset,
        encode(result.checkpoint, 'hex') as checkpoint,
        artifact.size as bytes,
        result.device,
        result.threads,
        result.precision,
        result.worker_version,
        result.accepted_at
    from result
    join job on job.id = result.job_id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    join artifact on artifact.digest = result.checkpoint
    order by sweep.created_at, variant.ordinal, experiment.seed;

comment on view trained_model is 'The trained flow of each experiment, one row each.';
comment on column trained_model.sweep is 'The sweep''s name.';
comment on column trained_model.experiment_id is 'The experiment.';
comment on column trained_model.variant is 'The settings that tell the variant apart.';
comment on column trained_model.seed is 'The experiment''s seed.';
comment on column trained_model.in_dataset is 'The dataset that it learned.';
comment on column trained_model.checkpoint is 'SHA-256 of the final checkpoint: what `spillway checkpoint` and `training.initial_weights` take.';
comment on column trained_model.bytes is 'Size of the checkpoint.';
comment on column trained_model.device is 'The device that trained it.';
comment on column trained_model.threads is 'Threads of the tensor library.';
comment on column trained_model.precision is 'Arithmetic of the flow.';
comment on column trained_model.worker_version is 'Version of the worker.';
comment on column trained_model.accepted_at is 'When the result was accepted.';
