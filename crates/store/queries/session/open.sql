-- A worker that repeats its call gets the same session; a closed one stays closed.
insert into session (id, worker_name, worker_version, device, memory_bytes, lease_until)
values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
on conflict (id) do update set lease_until = excluded.lease_until where session.closed_at is null
returning id
