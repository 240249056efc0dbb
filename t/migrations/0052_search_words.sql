-- Without the project: that of most crates is a list beside which each look for a word had to step,
-- and what few crates a small one has are found by their names as well.
DROP INDEX crate_search_words;
CREATE INDEX crate_search_words ON crate_search USING gin (document);
