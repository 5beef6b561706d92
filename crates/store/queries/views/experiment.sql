select
    sweep as "sweep!", variant as "variant!", seed as "seed!", experiment_id as "experiment_id!", state as "state!",
    in_dataset as "in_dataset!", checkpoint, jobs_done as "jobs_done!", jobs_total as "jobs_total!",
    -- A path's parts are the names of fields, and field names hold no dots.
    array(select settings #>> string_to_array(path, '.') from unnest($2::text[]) with ordinality as asked (path, place) order by place)
        as "settings!: Vec<Option<String>>"
from experiment_overview
where experiment_id = $1
order by variant_ordinal, seed
