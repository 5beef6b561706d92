select grant_views_to_reader() as "granted!"
