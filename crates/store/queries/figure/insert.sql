insert into figure (job_id, ordinal, name, caption, digest, media_type, width, height)
select $1, place - 1, name, caption, digest, media_type, width, height
from unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::integer[], $7::integer[])
    with ordinality as given(name, caption, digest, media_type, width, height, place)
