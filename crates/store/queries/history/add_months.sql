select month::date as "month!", add_history_month($1, month::date) as "made!"
from unnest(array[now() at time zone 'UTC', (now() at time zone 'UTC') + interval '1 month']) as month
