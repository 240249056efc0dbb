-- What crate_names has is no longer kept with each crate.
-- Programs before 0111_crates_due look for it there: stop them first.

DROP TRIGGER crates_listed ON crates;
DROP TRIGGER crates_lists_many ON crates;
DROP FUNCTION crates_count_listed();
DROP FUNCTION crates_set_lists_many();
DROP INDEX crates_name_trigrams;
DROP INDEX crates_many_trigrams;
DROP INDEX crates_short_parts;
DROP INDEX crates_names;
ALTER TABLE crates DROP COLUMN listed_versions, DROP COLUMN lists_many;
