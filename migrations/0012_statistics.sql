-- Which artifact holds what a trained flow makes of each example of a dataset's split: the rows from which scores are computed.

-- Written with a result and by nobody else. Its job's row is held under a lock then (0011 says why no key repeats that); the
-- artifact, which a worker names, is checked.
create table recorded_statistics (
    job_id bigint not null,
    dataset text not null,
    split text not null check (split in ('train', 'test')),
    images bigint not null check (images > 0),
    noise_draws integer not null check (noise_draws > 0),
    digest sha256 not null references artifact,
    primary key (job_id, dataset, split)
);

create view statistics as
    select
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        variant.in_dataset,
        recorded_statistics.dataset,
        recorded_statistics.split,
        recorded_statistics.images,
        recorded_statistics.noise_draws,
        encode(recorded_statistics.digest, 'hex') as digest,
        artifact.size as bytes,
        encode(trained.checkpoint, 'hex') as checkpoint,
        job.kind,
        result.device,
        result.threads,
        result.precision,
        result.worker_version,
        result.accepted_at,
        variant.ordinal as variant_ordinal,
        job.id as job_id,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from recorded_statistics
    join result using (job_id)
    join job on job.id = recorded_statistics.job_id
    join result as trained on trained.job_id = coalesce(job.depends_on, job.id)
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    join artifact on artifact.digest = recorded_statistics.digest;

comment on view statistics is 'What each trained flow made of each example of a dataset''s split: one row for each artifact. docs/scores.md explains the columns inside; every score of an evaluation follows from them.';
comment on column statistics.sweep is 'Name of the sweep.';
comment on column statistics.variant is 'The settings that tell the variant apart.';
comment on column statistics.seed is 'Seed of the experiment.';
comment on column statistics.in_dataset is 'Dataset that the flow learned.';
comment on column statistics.dataset is 'Dataset whose examples passed the flow.';
comment on column statistics.split is 'train (examples that the flow learned from, the reference of some scores) or test.';
comment on column statistics.images is 'Examples, from the first one of the split on.';
comment on column statistics.noise_draws is 'Dequantisation draws per image, over which the values are means.';
comment on column statistics.digest is 'SHA-256 of the artifact that holds the rows.';
comment on column statistics.bytes is 'Size of the artifact.';
comment on column statistics.checkpoint is 'SHA-256 of the trained flow.';
comment on column statistics.kind is 'The job that recorded them: train (of the dataset that it learned) or evaluate (of the OOD dataset).';
comment on column statistics.device is 'Device that computed them.';
comment on column statistics.threads is 'Threads of the tensor library.';
comment on column statistics.precision is 'Arithmetic of the flow.';
comment on column statistics.worker_version is 'Version of the worker.';
comment on column statistics.accepted_at is 'When the result was accepted.';
comment on column statistics.variant_ordinal is 'Place of the variant in the tables of the sweep.';
comment on column statistics.job_id is 'The job that recorded them.';
comment on column statistics.experiment_id is 'The experiment.';
comment on column statistics.sweep_id is 'Identity of the sweep.';

comment on column evaluation.statistics is 'SHA-256 of the artifact that holds what the flow made of each OOD image; the view statistics lists those of the other side too.';
comment on column evaluation.metric is 'Of a score, comparing both sides: auroc; aupr-out and aupr-in (trapezoids), ap-out and ap-in (average precision); fpr-in-at-95-out and fpr-out-at-95-in; detection-error and detection-error-at-95-in. Of one dataset: bits-per-dim-mean, bits-per-dim-median and bits-per-dim-trimmed (textbook discrete bound, in bits per dimension; trimmed: the mean without the least likely twentieth of the images), outliers (images far beyond the median likelihood), and non-finite (examples whose score is NaN or infinite).';
comment on column evaluation.n_in is 'In-distribution images the number rests on; groups of images for a score of groups.';
comment on column evaluation.n_out is 'Out-of-distribution images the number rests on; groups of images for a score of groups.';
comment on column auroc.score is 'Maps an image, or a group of them, to a number, higher = more out-of-distribution. docs/scores.md has the formula of each.';
