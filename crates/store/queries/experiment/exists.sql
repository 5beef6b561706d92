select exists (select from experiment where id = $1) as "exists!"
