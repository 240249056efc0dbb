-- What a search reads, written at once: new entries of a GIN index are otherwise put aside, read one
-- after the other by each search, and sorted in by whoever adds the one that is too much, which among
-- many crates lets one publish in some thousands last a second longer.
ALTER INDEX crate_search_slips SET (fastupdate = off);
ALTER INDEX crate_search_trigrams SET (fastupdate = off);
ALTER INDEX crate_search_words SET (fastupdate = off);
ALTER INDEX crates_name_trigrams SET (fastupdate = off);
ALTER INDEX crates_many_trigrams SET (fastupdate = off);
