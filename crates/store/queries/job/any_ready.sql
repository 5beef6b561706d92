select exists (
    select
    from job
    where state = 'ready' and (not_before is null or not_before <= clock_timestamp())
) as "ready!"
