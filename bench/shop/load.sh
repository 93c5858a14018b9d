#!/bin/sh
# load.sh DB [SCALE]: makes schema "shop" in that database (a psql connection
# string or name; about half a minute and 400 MB at scale 1) and puts it on
# the database's search_path.
set -eu
cd "$(dirname "$0")"
psql -X -q -v ON_ERROR_STOP=1 -v sf="${2:-1}" -d "$1" -f schema.sql
psql -X -q -v ON_ERROR_STOP=1 -d "$1" -c "VACUUM ANALYZE"
psql -X -q -v ON_ERROR_STOP=1 -d "$1" <<'SQL'
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET search_path = shop, public', current_database());
END $$
SQL
