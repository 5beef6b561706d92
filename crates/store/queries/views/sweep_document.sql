select document::text as "document!"
from sweep
where id = $1
