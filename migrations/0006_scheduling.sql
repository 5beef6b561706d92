-- What decides which job goes next: who submitted, shares and limits of a sweep, what it asks of workers and what they have.

alter table sweep
    add column submitted_by text not null default '' check (octet_length(submitted_by) <= 100),
    add column weight smallint not null default 1 check (weight between 1 and 1000),
    add column max_running integer check (max_running > 0),
    add column memory_bytes bigint not null default 0 check (memory_bytes >= 0),
    add column labels text[] not null default '{}';

alter table session add column labels text[] not null default '{}';

-- The share of each user among all users; who has no row has the weight 1.
create table user_share (
    name text primary key check (octet_length(name) <= 100),
    weight double precision not null check (weight > 0 and weight < 'infinity')
);

-- Since when the job is ready: the longer it waits, the higher it goes.
alter table job add column ready_at timestamptz not null default clock_timestamp();
