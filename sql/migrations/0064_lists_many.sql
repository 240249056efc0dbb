-- Where 0054_common_names made a generated column of crates.lists_many, it becomes one that a trigger
-- writes, as it is everywhere else: what is there stays, and nothing is written anew.

ALTER TABLE crates ALTER COLUMN lists_many DROP EXPRESSION IF EXISTS;
ALTER TABLE crates ALTER COLUMN lists_many SET DEFAULT false;
CREATE OR REPLACE FUNCTION crates_set_lists_many() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.lists_many := NEW.listed_versions >= 20;
	RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS crates_lists_many ON crates;
CREATE TRIGGER crates_lists_many BEFORE INSERT OR UPDATE OF index_body, listed_versions ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_set_lists_many();
