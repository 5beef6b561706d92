select
    sweep as "sweep!", variant as "variant!", seed as "seed!", experiment_id as "experiment_id!", job_id as "job_id!",
    dataset as "dataset!", split as "split!", images as "images!", noise_draws as "noise_draws!", digest as "digest!",
    bytes as "bytes!"
from statistics
where experiment_id = $1
order by variant_ordinal, seed, job_id, dataset, split
