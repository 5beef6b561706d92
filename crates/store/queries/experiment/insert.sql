insert into experiment (sweep_id, variant_id, seed, fingerprint)
select $1, variant_id, seed, fingerprint
from unnest($2::bigint[], $3::bigint[], $4::bytea[]) with ordinality as given(variant_id, seed, fingerprint, place)
order by place
returning id, variant_id, seed
