-- Operations: history in monthly partitions that nobody changes, and the logs of attempts.
--
-- Partitions bear no foreign keys: attaching or dropping one would lock `job` and `sweep` against every claim, and each row
-- would lock its job and its sweep once more. Rows are written only by statements that take their ids from a job's row.

-- Makes the partition of `parent` for a month (UTC). False when it is there already, or when rows of that month have gone into the
-- default partition, where they stay. The new table is attached rather than made in place: that lets readers and writers of
-- the other partitions go on.
create function add_history_month(parent text, month date) returns boolean
    language plpgsql
    as $$
        declare
            opens timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
            closes timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
            made text := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
            key text := (
                select attname from pg_partitioned_table join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
                where partrelid = parent::regclass
            );
            is_taken boolean;
        begin
            if to_regclass(format('%I', made)) is not null then
                return false;
            end if;
            execute format('select exists (select from %I where %I >= $1 and %I < $2)', parent || '_default', key, key)
                into is_taken using opens, closes;
            if is_taken then
                return false;
            end if;
            execute format('create table %I (like %I including defaults including constraints)', made, parent);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, made, opens, closes);
            return true;
        end
    $$;

-- Drops the partitions of `parent` whose months had ended by `cutoff`; yields their names. The default partition stays.
create function drop_history_before(parent text, cutoff timestamptz) returns setof text
    language plpgsql
    as $$
        declare
            gone text;
        begin
            for gone in
                select relname
                from pg_inherits
                join pg_class on pg_class.oid = inhrelid
                where inhparent = parent::regclass
                    and relname ~ '_[0-9]{4}_[0-9]{2}$'
                    and (to_date(right(relname, 7), 'YYYY_MM')::timestamp + interval '1 month') at time zone 'UTC' <= cutoff
                order by relname
            loop
                execute format('alter table %I detach partition %I', parent, gone);
                execute format('drop table %I', gone);
                return next gone;
            end loop;
        end
    $$;

-- Every transition of a job -------------------------------------------------------------------------------------------

alter table event rename to event_unpartitioned;
alter index event_sweep rename to event_unpartitioned_sweep;

create sequence event_seq;

-- A transaction draws an event's id after it has changed a row, so that it bears its number (xid) before: whoever watches a
-- sweep relies on it to know when no event of an older transaction can appear any more (`queries/event/since.sql`).
create table event (
    id bigint not null default nextval('event_seq'),
    at timestamptz not null default clock_timestamp(),
    sweep_id uuid not null,
    job_id bigint,
    epoch integer,
    kind text not null,
    detail text not null default ''
) partition by range (at);
-- The only index: each one more would be paid by every claim and every completion.
create index event_sweep on event (sweep_id, id);
-- Takes what no month takes, so that an insert never fails.
create table event_default partition of event default;

-- Tails of attempts' output ----------------------------------------------------------------------------------------------

create table job_log (
    job_id bigint not null,
    epoch integer not null,
    -- Place in the attempt's log, from 1: the same report sent twice leaves one row.
    line integer not null check (line > 0),
    -- When the attempt began, which says the month: a line's key is unique over all partitions, and a log goes as a whole.
    started_at timestamptz not null,
    at timestamptz not null,
    text text not null,
    primary key (job_id, epoch, line, started_at)
) partition by range (started_at);
create table job_log_default partition of job_log default;

do $$
    declare
        month date := date_trunc('month', coalesce((select min(at) from event_unpartitioned), now()) at time zone 'UTC');
    begin
        while month <= (now() at time zone 'UTC') + interval '1 month' loop
            perform add_history_month('event', month);
            month := month + interval '1 month';
        end loop;
        perform add_history_month('job_log', (now() at time zone 'UTC')::date);
        perform add_history_month('job_log', ((now() at time zone 'UTC') + interval '1 month')::date);
    end
$$;

insert into event (id, at, sweep_id, job_id, epoch, kind, detail)
select id, at, sweep_id, job_id, epoch, kind, detail
from event_unpartitioned
order by id;
select setval('event_seq', coalesce(max(id), 0) + 1, false) from event_unpartitioned;
drop table event_unpartitioned;

create function refuse_change_of_history() returns trigger
    language plpgsql
    as $$
        begin
            raise exception 'the history is append only: a row of % is never changed or deleted', tg_table_name
                using hint = 'Old months go as whole partitions: SPILLWAY_RETENTION_DAYS.';
        end
    $$;
create trigger event_append_only before update or delete on event
    for each row execute function refuse_change_of_history();
create trigger event_not_truncated before truncate on event
    for each statement execute function refuse_change_of_history();

-- For users ------------------------------------------------------------------------------------------------------------

-- Found by way of the job: the index of events begins with the sweep.
create view job_event as
    select
        event.at,
        sweep.name as sweep,
        variant.label as variant,
        experiment.seed,
        job.kind,
        evaluation_target.out_dataset,
        event.kind as state,
        event.epoch,
        session.worker_name as worker,
        event.detail,
        event.job_id,
        job.sweep_id,
        event.id as event_id
    from job
    join event on event.sweep_id = job.sweep_id and event.job_id = job.id
    join sweep on sweep.id = job.sweep_id
    join experiment on experiment.id = job.experiment_id
    join variant on variant.id = experiment.variant_id
    left join evaluation_target on evaluation_target.job_id = job.id
    left join attempt on attempt.job_id = event.job_id and attempt.epoch = event.epoch
    left join session on session.id = attempt.session_id;

comment on view job_event is 'The history of every job: one row for each change of its state, never changed afterwards. `select at, state, epoch, worker, detail from job_event where job_id = 17 order by event_id` tells the life of job 17. Months older than SPILLWAY_RETENTION_DAYS are dropped, when that is set.';
comment on column job_event.at is 'When it happened, on the clock of Postgres.';
comment on column job_event.sweep is 'Name of the sweep.';
comment on column job_event.variant is 'The settings that tell the variant apart.';
comment on column job_event.kind is 'train, evaluate or inspect.';
comment on column job_event.out_dataset is 'The OOD dataset of an evaluate job.';
comment on column job_event.state is 'The state that the job went into.';
comment on column job_event.epoch is 'The attempt that the change is about: the one that began, or the one that ended.';
comment on column job_event.worker is 'Who ran that attempt.';
comment on column job_event.detail is 'Why: the failure, the reason of a cancel, how the attempt ended.';
comment on column job_event.event_id is 'Grows with time: the order of events.';
comment on table job_log is 'What attempts wrote, a bounded part of it: `spillway logs JOB` shows it.';
