insert into artifact (digest, size)
values ($1::bytea, $2)
on conflict do nothing
