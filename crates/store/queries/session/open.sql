-- A worker that repeats its call gets the same session; a closed one stays closed.
insert into session (id, worker_name, worker_version, device, memory_bytes, labels, lease_until)
values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))
on conflict (id) do update set lease_until = excluded.lease_until where session.closed_at is null
returning id
