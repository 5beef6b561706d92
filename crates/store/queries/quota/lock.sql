-- Submits of one user take turns until their transactions end: two at once cannot both see the room that is left for one.
-- 1364541012 spells "QUOT": the locks of others have other first numbers.
select pg_advisory_xact_lock(1364541012, hashtext($1)) is null as "locked!"
