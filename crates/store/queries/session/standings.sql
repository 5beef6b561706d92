-- Open sessions only, by their partial index. Late: more than half of the lease of $1 seconds is used up.
select
    device,
    case
        when lease_until <= clock_timestamp() then 'lapsed'
        when drain then 'draining'
        when lease_until < clock_timestamp() + make_interval(secs => $1::double precision / 2) then 'late'
        else 'leased'
    end as "standing!",
    count(*) as "sessions!"
from session
where closed_at is null
group by 1, 2
