-- Waits for a submit of the same name or key that is under way, and then yields nothing.
insert into sweep (
    id, name, fingerprint, idempotency_key, document, priority, device, checkpoint_secs, seeds,
    submitted_by, weight, max_running, memory_bytes, labels, preemptible
)
values ($1, $2, $3::bytea, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict do nothing
returning coalesce((select user_share.weight from user_share where user_share.name = submitted_by), 1) as "user_weight!"
