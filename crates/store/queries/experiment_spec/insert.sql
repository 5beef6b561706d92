insert into experiment_spec (fingerprint, document)
select fingerprint, document
from unnest($1::bytea[], $2::jsonb[]) as given(fingerprint, document)
-- In one order everywhere: two submits that share documents wait for each other and never in a circle.
order by fingerprint
on conflict do nothing
