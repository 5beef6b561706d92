select
    variant.label, variant.fingerprint, variant.in_dataset, experiment_spec.document::text as "document!"
from variant
join experiment_spec using (fingerprint)
where variant.sweep_id = $1
order by variant.ordinal
limit $2
