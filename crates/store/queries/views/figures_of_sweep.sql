select
    sweep as "sweep!", variant as "variant!", seed as "seed!", experiment_id as "experiment_id!", job_id as "job_id!",
    name as "name!", caption as "caption!", digest as "digest!", media_type as "media_type!", width as "width!",
    height as "height!", bytes as "bytes!", device as "device!", precision as "precision!",
    noise_draws as "noise_draws!", threads as "threads!", worker_version as "worker_version!"
from figure_overview
where sweep_id = $1 and ($2::text is null or variant = $2) and ($3::bigint is null or seed = $3)
order by variant_ordinal, seed, ordinal
