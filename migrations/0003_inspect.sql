-- Inspect jobs: pictures of what an experiment learned, as artifacts under the names in `figure`.

alter table job
    drop constraint job_kind_check,
    add constraint job_kind_check check (kind in ('train', 'evaluate', 'inspect')),
    -- The check of 0001 that an evaluate job, and no other, waits for a train job.
    drop constraint job_check3,
    add constraint job_depends_on_check check ((kind = 'train') = (depends_on is null));

-- How many figures the result of an inspect job has: beside a checkpoint and statistics the third thing that a result may be.
alter table result
    add column figures integer check (figures > 0),
    drop constraint result_check,
    add constraint result_kind_check check (num_nonnulls(checkpoint, statistics, figures) = 1);

-- The pictures of an accepted result; as its measurements, they are written with it and by nobody else.
create table figure (
    job_id bigint not null references result on delete cascade,
    -- Place among the job's figures.
    ordinal integer not null check (ordinal >= 0),
    -- Also a file's name, so that it can leave no folder.
    name text not null check (length(name) <= 100 and name ~ '^[a-z0-9][a-z0-9-]*\.png$'),
    caption text not null check (length(caption) > 0),
    digest sha256 not null references artifact,
    media_type text not null check (media_type in ('image/png')),
    width integer not null check (width > 0),
    height integer not null check (height > 0),
    primary key (job_id, name),
    unique (job_id, ordinal)
);

create view figure_overview as
    select
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        variant.in_dataset,
        figure.name,
        figure.caption,
        figure.media_type,
        figure.width,
        figure.height,
        artifact.size as bytes,
        encode(figure.digest, 'hex') as digest,
        encode(trained.checkpoint, 'hex') as checkpoint,
        result.device,
        result.precision,
        result.noise_draws,
        result.threads,
        result.worker_version,
        result.accepted_at,
        variant.ordinal as variant_ordinal,
        figure.ordinal,
        result.job_id,
        experiment.id as experiment_id,
        sweep.id as sweep_id
    from figure
    join result using (job_id)
    join job on job.id = result.job_id
    join result as trained on trained.job_id = job.depends_on
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    join artifact on artifact.digest = figure.digest;

comment on view figure_overview is 'Every picture of what an experiment learned: one row for each figure of an accepted inspect job. `spillway figures` fetches their bytes.';
comment on column figure_overview.sweep is 'Name of the sweep.';
comment on column figure_overview.variant is 'The settings that tell the variant apart.';
comment on column figure_overview.in_dataset is 'Dataset that the flow learned.';
comment on column figure_overview.name is 'Name of the figure, unique within its experiment, and of the file that it becomes.';
comment on column figure_overview.caption is 'What the figure shows, its normalisation and its colours.';
comment on column figure_overview.media_type is 'Format of the bytes: image/png.';
comment on column figure_overview.width is 'Width in pixels.';
comment on column figure_overview.height is 'Height in pixels.';
comment on column figure_overview.bytes is 'Size of the artifact.';
comment on column figure_overview.digest is 'SHA-256 of the artifact that holds the bytes.';
comment on column figure_overview.checkpoint is 'SHA-256 of the trained flow that the figure shows.';
comment on column figure_overview.precision is 'Arithmetic of the flow.';
comment on column figure_overview.noise_draws is 'Dequantisation draws over which latents were averaged.';
comment on column figure_overview.variant_ordinal is 'Place of the variant in the tables of the sweep.';
comment on column figure_overview.ordinal is 'Place of the figure among those of its experiment.';
comment on column figure_overview.sweep_id is 'Identity of the sweep.';

comment on column job_overview.done is 'Steps (train) or images (evaluate, inspect) done by the newest attempt.';
