-- Of the variants with these labels, or of all when there are none.
select ordinal, label
from variant
where sweep_id = $1 and (cardinality($2::text[]) = 0 or label = any($2))
order by ordinal
