-- A search over all projects finds the crate of that name, and names that begin so, before any other.

-- step: index crate_search_first
CREATE INDEX CONCURRENTLY crate_search_first ON crate_search (normalized_name);
