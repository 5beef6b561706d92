insert into variant (sweep_id, ordinal, label, fingerprint, in_dataset)
select $1, ordinal, label, fingerprint, in_dataset
from unnest($2::integer[], $3::text[], $4::bytea[], $5::text[]) as given(ordinal, label, fingerprint, in_dataset)
order by ordinal
returning id, ordinal
