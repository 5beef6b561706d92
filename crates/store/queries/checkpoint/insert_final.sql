-- Inside the completing transaction, which has judged the epoch. The checkpoint may have been reported before.
insert into checkpoint (job_id, epoch, step, digest)
values ($1, $2, $3, $4::bytea)
on conflict (job_id, epoch, step) do update set digest = excluded.digest
