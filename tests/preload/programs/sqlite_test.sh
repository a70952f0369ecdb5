#!/bin/bash
# The sqlite3 shell on a million rows, inserted by as many statements:  sqlite_test.sh LIBRARY
source "$(dirname "$0")/compare.sh"
require sqlite3 awk

# Deterministic, and with strings of very different lengths.
awk 'BEGIN {
  print "PRAGMA journal_mode = off; PRAGMA synchronous = off; BEGIN;"
  print "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, score INTEGER, note TEXT);"
  state = 12345
  for (i = 1; i <= 1000000; ++i) {
    state = (state * 69069 + 1) % 4294967296
    printf "INSERT INTO person VALUES (%d, \x27n%d\x27, %d, \x27%s\x27);\n", i, state % 99991,
           state % 1000, i % 1000 == 0 ? sprintf("%0*d", state % 4000, 7) : ""
  }
  print "COMMIT;"
}' > "$work/insert.sql"

cat > "$work/query.sql" <<'SQL'
CREATE INDEX person_by_name ON person (name, score);
SELECT count(*), sum(score), sum(length(note)), min(name), max(name) FROM person;
SELECT score, count(*), group_concat(id % 7, '') FROM person WHERE id % 50 = 0 GROUP BY score;
SELECT a.name, count(*) FROM person a JOIN person b ON a.name = b.name AND a.id < b.id
  WHERE a.id < 20000 GROUP BY a.name ORDER BY 2 DESC, 1 LIMIT 200;
SELECT json_group_array(json_object('id', id, 'name', name)) FROM person WHERE id < 30000;
UPDATE person SET note = note || printf('%.*c', id % 200, 'x') WHERE id % 3 = 0;
DELETE FROM person WHERE id % 5 = 0;
WITH RECURSIVE word(n, text) AS (
  SELECT 1, 'a' UNION ALL SELECT n + 1, text || char(97 + n % 26) FROM word WHERE n < 2000)
  SELECT sum(length(text)), max(text) FROM word;
SELECT id, name, score, length(note), hex(substr(note, -3)) FROM person
  ORDER BY name, id LIMIT 50000;
VACUUM;
PRAGMA integrity_check;
SQL

both 120 memory sqlite3 -batch :memory: ".read $work/insert.sql" ".read $work/query.sql"

# In a file the pages go through the cache of another size; a tenth of the rows is enough for that.
{ head -n 100002 "$work/insert.sql" && echo "COMMIT;"; } > "$work/insert_some.sql"
both 120 file sqlite3 -batch people.db ".read $work/insert_some.sql" ".read $work/query.sql"
same people.db
