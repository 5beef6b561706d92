-- Ordered, so that the index of ready jobs is used whatever the statistics say: they may still tell of thousands when the
-- last one is gone.
select (
    select true
    from job
    where state = 'ready' and (not_before is null or not_before <= clock_timestamp())
    order by sweep_id, ready_seq
    limit 1
) is not null as "ready!"
