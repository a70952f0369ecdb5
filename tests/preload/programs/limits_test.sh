#!/bin/bash
# Real programs with little address space, as `ulimit -v` gives it:  limits_test.sh LIBRARY
#
# Where an allocator reserves much of it at once, a program that runs plainly would not start.
source "$(dirname "$0")/compare.sh"
require perl sqlite3 awk sort

cat > "$work/work.sql" <<'SQL'
CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
  INSERT INTO t SELECT i, printf('%0*d', i % 100, i * 7919 % 10007) FROM n;
CREATE INDEX t_text ON t (text);
SELECT count(*), sum(length(text)), min(text), max(text) FROM t;
SELECT text, count(*) FROM t GROUP BY text ORDER BY 2 DESC, 1 LIMIT 100;
SQL

cat > "$work/work.pl" <<'PERL'
my %h; $h{$_ * 7919 % 50021} .= "value $_ " for 1 .. 100000;
my $n = 0; $n += length for values %h; print scalar(keys %h), " $n\n";
my $t = join ',', sort { $a <=> $b } keys %h; $t =~ s/(\d)7/$1-/g; print length $t, "\n";
PERL

seq 200000 | awk '{ print $1 * 7919 % 100003 }' > "$work/numbers"

for mebibytes in 64 128 256 1024; do
  limited() {
    local name=$1
    shift
    both 60 "$name-$mebibytes" bash -c 'ulimit -v '$((mebibytes * 1024))' && exec "$@"' - "$@"
  }
  limited perl perl "$work/work.pl"
  limited sqlite sqlite3 -batch :memory: ".read $work/work.sql"
  limited awk awk \
    '{ seen[$1] = seen[$1] " " NR } END { for (k in seen) n += length(seen[k]); print n }' \
    "$work/numbers"
  limited sort sort -n -S 8M "$work/numbers"
done
if [[ -x /usr/bin/python3 ]]; then
  both 60 python bash -c 'ulimit -v 262144 && exec "$@"' - /usr/bin/env PYTHONMALLOC=malloc \
    /usr/bin/python3 -c 'import json, re; print(len(json.dumps([str(i) for i in range(200000)])))'
fi
