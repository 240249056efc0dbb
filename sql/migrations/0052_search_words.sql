-- Without the project: that of most crates is a list beside which each look for a word had to step,
-- and what few crates a small one has are found by their names as well.
-- replaces: 6d1675ef1ade16804eab13fa970264e78f2185e0b23fbb928c07ef0dc1a13420

-- step: index crate_search_words_new
CREATE INDEX CONCURRENTLY crate_search_words_new ON crate_search USING gin (document);

-- step: transaction
DROP INDEX crate_search_words;
ALTER INDEX crate_search_words_new RENAME TO crate_search_words;
