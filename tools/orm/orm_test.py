#!/usr/bin/env -S python3 -B
"""Runs the command as its users do.

  orm_test.py ORM
"""

import json
import os
import pty
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ORM = os.path.abspath(sys.argv[1])

FAILED, USAGE, WRONG_KEY = 1, 2, 3

# What runs in the background may have inherited that they are ignored, and hand it on.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)

SCHEMA = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, score REAL,
                     photo BLOB, city TEXT DEFAULT 'Paris') STRICT;
CREATE UNIQUE INDEX people_name ON people (name);
CREATE VIEW adults AS SELECT name FROM people WHERE age >= 18;
"""
ROWS = [
    (1, "Ada", 36, 1.5, b"\x00\x01\xff", "London"),
    (2, 'a "quote", a comma\r\nand lines', None, -0.1, b"", ""),
    (3, "Zoë \U0001f600", -(2**63), 1e300, None, None),
    (4, "", 2**63 - 1, 3.0, None, "NULL"),
]
CSV = b"""id,name,age,score,photo,city\r
1,Ada,36,1.5,AAH/,London\r
2,"a ""quote"", a comma\r
and lines",,-0.1,"",""\r
3,Zo\xc3\xab \xf0\x9f\x98\x80,-9223372036854775808,1e+300,,\r
4,"",9223372036854775807,3.0,,NULL\r
"""


def make(name, rows):
    with sqlite3.connect(name) as db:
        db.executescript(SCHEMA)
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)", rows)
    db.close()


class OrmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        make(os.path.join(cls.made, "a.db"), ROWS)
        make(os.path.join(cls.made, "empty.db"), [])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.made)

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        os.chdir(self.folder)
        for name in os.listdir(self.made):
            shutil.copy(os.path.join(self.made, name), name)
        self.write("key", b"01" * 32 + b"\n")
        self.write("other", b"10" * 32 + b"\n")
        self.write("password", b"correct horse\nonly the first line counts\n")

    def tearDown(self):
        shutil.rmtree(self.folder)

    @staticmethod
    def write(name, content):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "wb") as file:
            file.write(content)

    @staticmethod
    def read(name):
        with open(name, "rb") as file:
            return file.read()

    @staticmethod
    def rows(name="a.db", sql="SELECT * FROM people ORDER BY id"):
        db = sqlite3.connect(name)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    @staticmethod
    def orm(*arguments, stdin=b"", **options):
        # A session of its own has no terminal to ask.
        return subprocess.run(
            [ORM, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            start_new_session=True,
            **options,
        )

    def must(self, *arguments, said=b"", **options):
        done = self.orm(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, said), done)
        return done.stdout

    def fails(self, code, message, *arguments, **options):
        """The command fails so, and says so; no file comes or goes."""
        before = set(os.listdir())
        done = self.orm(*arguments, **options)
        self.assertEqual(done.returncode, code, done)
        self.assertIn(message, done.stderr.decode())
        self.assertEqual(set(os.listdir()), before)
        return done

    # Looking.

    def test_tables(self):
        said = self.must("a.db", "tables").decode()
        self.assertRegex(said, r"(?m)^adults +view +1 +no$")
        self.assertRegex(said, r"(?m)^people +table +6 +yes$")
        self.assertNotIn("sqlite_", said)

    def test_schema_makes_the_same(self):
        schema = self.must("a.db", "schema")
        self.must("copy.db", "--create", stdin=schema)
        self.assertEqual(self.must("copy.db", "schema"), schema)
        self.assertIn(b"UNIQUE INDEX", self.must("a.db", "schema", "PEOPLE"))
        self.assertNotIn(b"VIEW", self.must("a.db", "schema", "people"))
        self.fails(FAILED, "no table peopel", "a.db", "schema", "peopel")

    def test_query_as_a_table(self):
        said = self.must("a.db", "query", "SELECT id, name, age, score FROM people WHERE id <> 2")
        self.assertEqual(
            said.decode(),
            "id  name   age                   score \n".replace("score ", "score")
            + "--  -----  --------------------  ------\n"
            + " 1  Ada                      36     1.5\n"
            + " 3  Zoë \U0001f600  -9223372036854775808  1e+300\n"
            + " 4          9223372036854775807     3.0\n",
        )

    def test_a_table_shows_no_control_characters(self):
        said = self.must("a.db", "query", "SELECT char(27) || '[2J' || char(155), char(10), NULL")
        self.assertRegex(said.decode(), r"(?m)^\\x1b\[2J\\xc2\\x9b +\\n +NULL$")
        self.assertNotIn(b"\x1b", said)

    def test_query_as_csv_and_json(self):
        self.assertEqual(
            self.must("a.db", "query", "SELECT * FROM people", "--format=csv"), CSV
        )
        said = json.loads(self.must("a.db", "--format=json", "query", "SELECT * FROM people"))
        self.assertEqual([row["name"] for row in said], [row[1] for row in ROWS])
        self.assertEqual([row["age"] for row in said], [row[2] for row in ROWS])
        self.assertEqual([row["score"] for row in said], [row[3] for row in ROWS])
        self.assertEqual(said[0]["photo"], "AAH/")
        nothing = self.must("a.db", "query", "SELECT id FROM people WHERE 0", "--format=json")
        self.assertEqual(json.loads(nothing), [])

    def test_values_are_bound(self):
        sql = "SELECT count(*) AS n FROM people WHERE name = ?"
        for value, count in (("Ada", 1), ("x' OR '1'='1", 0)):
            said = self.must("a.db", "query", sql, value, "--format=csv")
            self.assertEqual(said, b"n\r\n%d\r\n" % count)
        self.fails(FAILED, "1 parameters, and there are 2", "a.db", "query", sql, "a", "b")
        sql = "SELECT ? || ?2 AS a, :c AS b"
        said = self.must("a.db", "query", sql, "x", "y", "z", "--format=csv")
        self.assertEqual(said, b"a,b\r\nxy,z\r\n")
        said = self.must("a.db", "query", "SELECT ?", "--format=csv", "--", "--x")
        self.assertEqual(said, b"?\r\n--x\r\n")
        self.fails(FAILED, "single statement", "a.db", "query", "SELECT ?; SELECT ?", "a")

    def test_query_changes(self):
        self.must("a.db", "query", "DELETE FROM people WHERE id > 1; UPDATE people SET age = 37")
        self.assertEqual([row[2] for row in self.rows()], [37])
        said = self.fails(FAILED, "readonly", "a.db", "--read-only", "query", "DELETE FROM people")
        self.assertEqual(said.stdout, b"")
        self.fails(FAILED, "not ended", "a.db", "query", "BEGIN; DELETE FROM people")
        self.assertEqual(len(self.rows()), 1)

    def test_the_journal_stays_what_it_is(self):
        self.must("a.db", "query", "UPDATE people SET age = 1")
        self.assertEqual(self.rows(sql="PRAGMA journal_mode"), [("delete",)])
        self.rows(sql="PRAGMA journal_mode = WAL")
        self.must("a.db", "query", "UPDATE people SET age = 2")
        self.assertEqual(self.rows(sql="PRAGMA journal_mode"), [("wal",)])

    def test_wrong_sql(self):
        self.fails(FAILED, 'near "SELCT": syntax error', "a.db", "query", "SELCT 1")
        self.fails(FAILED, "no such table: peopel", "a.db", "query", "SELECT * FROM peopel")
        same = "SELECT id, id FROM people"
        self.fails(FAILED, "two columns are called id", "a.db", "query", same, "--format=json")

    # Import and export.

    def test_csv_there_and_back(self):
        self.must("a.db", "export", "people", "out.csv")
        self.assertEqual(self.read("out.csv"), CSV)
        self.must("empty.db", "import", "people", "out.csv", said=b"4 rows\n")
        self.assertEqual(self.rows("empty.db"), ROWS)

    def test_json_there_and_back(self):
        self.must("a.db", "export", "people", "out.json")
        self.must("empty.db", "import", "people", "out.json", said=b"4 rows\n")
        self.assertEqual(self.rows("empty.db"), ROWS)

    def test_pipes(self):
        for form in ("csv", "json"):
            with self.subTest(form):
                text = self.must("a.db", "export", "people", f"--format={form}")
                self.must("empty.db", "query", "DELETE FROM people")
                self.must(
                    *("empty.db", "import", "people", "-", f"--format={form}", "--quiet"),
                    stdin=text,
                )
                self.assertEqual(self.rows("empty.db"), ROWS)

    def test_json_lines_and_defaults(self):
        self.write("in.jsonl", b'{"name":"a","age":true}\n\n{"name":"b","city":null} {"name":"c"}')
        self.must("empty.db", "import", "people", "in.jsonl", said=b"3 rows\n")
        self.assertEqual(
            self.rows("empty.db", "SELECT name, age, city FROM people"),
            [("a", 1, "Paris"), ("b", None, None), ("c", None, "Paris")],
        )

    def test_csv_with_a_mark_and_plain_newlines(self):
        self.write("in.csv", b"\xef\xbb\xbfname,AGE\na,1\n\n\"b\",\n")
        self.must("empty.db", "import", "people", "in.csv", said=b"2 rows\n")
        rows = self.rows("empty.db", "SELECT name, age FROM people")
        self.assertEqual(rows, [("a", 1), ("b", None)])

    def test_import_says_where_it_fails_and_adds_nothing(self):
        for name, content, message in (
            ("a.csv", b"name,agee\na,1\n", "a.csv:2: people has no column agee; there are: id"),
            ("a.csv", b"name,age\na,1\nb,x\n", "a.csv:3: people.age: 'x' is no integer"),
            ("a.csv", b"name,score\na,1.5.2\n", "a.csv:2: people.score: '1.5.2' is no number"),
            ("a.csv", b"name,photo\na,!\n", "a.csv:2: people.photo: no base64"),
            ("a.csv", b"name,age\na,1,2\n", "a.csv:2: there are 3 fields, and the first line"),
            ("a.csv", b'name,age\n"a\n\nb",1\n"c,1\n', "a.csv:5: a quote without its end"),
            ("a.csv", b'name\na\nb"\n', "a.csv:3: a quote within a field"),
            ("a.csv", b'name\n"a"b\n', "a.csv:2: something follows the quote"),
            ("a.csv", b"name\na\nb\n\xff\n", "a.csv:4: field 1 is not UTF-8"),
            ("a.csv", b"name\ra\n", "a.csv:1: a CR without LF"),
            ("a.csv", b"name\na\na\n", "a.csv:3: UNIQUE constraint failed: people.name"),
            ("a.csv", b"age\n1\n", "a.csv:2: NOT NULL constraint failed: people.name"),
            ("a.csv", b"", "a.csv:1: there is no line with the names"),
            ("a.json", b'[{"name":"a"},\n{"name":"b",}]', "a.json:2: "),
            ("a.json", b'[{"name":"a"}\n', "a.json:2: no , or ] after an object"),
            ("a.json", b'[{"name":"a"}]\n[', "a.json:2: something follows the list"),
            ("a.json", b'[{"name":"a"},\n7]', "a.json:2: no object"),
            ("a.json", b'{"name":"a"}\n{"name":"b', "a.json:2: an object has no end"),
            ("a.json", b'{"name":"a","name":"b"}', "a.json:1: the key name twice"),
            ("a.json", b'{"name":"a",\n"age":9223372036854775808}', "a.json:2: an integer of more"),
            ("a.json", b'{"name":"a","age":"x"}', "a.json:1: cannot store TEXT value in INTEGER"),
            ("a.json", b'{"nmae":"a"}', "a.json:1: people has no column nmae"),
            ("a.json", b'{"name":"\xff"}', "a.json:1: "),
        ):
            with self.subTest(content):
                self.write(name, content)
                self.fails(FAILED, message, "empty.db", "import", "people", name)
                self.assertEqual(self.rows("empty.db"), [])

    def test_import_into_what_is_not_there(self):
        self.write("a.csv", b"name\na\n")
        self.fails(FAILED, "no table peopel", "a.db", "import", "peopel", "a.csv")
        self.fails(FAILED, "cannot open none.csv", "a.db", "import", "people", "none.csv")
        self.fails(FAILED, "which format has", "a.db", "import", "people", "key")
        self.fails(FAILED, "which format has", "a.db", "import", "people")

    def test_import_makes_the_table(self):
        columns = "SELECT group_concat(name || ' ' || type, ', ') FROM pragma_table_info('t')"
        for name, content, types, rows in (
            (
                "a.csv",
                b'n,r,v,z,e,both\n1,1.5,1.50,007,,1\n-2,3,2.0,"",,x\n',
                "n INTEGER, r REAL, v TEXT, z TEXT, e TEXT, both TEXT",
                [[1, 1.5, "1.50", "007", None, "1"], [-2, 3.0, "2.0", "", None, "x"]],
            ),
            ("a.csv", b'a b,"c""d"\n', 'a b TEXT, c"d TEXT', []),
            (
                "a.csv",
                b"big,large\n9223372036854775807,9223372036854775808\n0.5,1\n",
                "big TEXT, large TEXT",
                [["9223372036854775807", "9223372036854775808"], ["0.5", "1"]],
            ),
            (
                "a.json",
                b'[{"a":1,"b":"1"},\n{"a":2.5,"c":true,"d":1},{"d":"x","B":null}]',
                "a REAL, b TEXT, c INTEGER, d ANY",
                [[1.0, "1", None, None], [2.5, None, 1, 1], [None, None, None, "x"]],
            ),
        ):
            with self.subTest(content):
                self.write(name, content)
                self.must("new.db", "--create", "import", "t", name, "--create-table", "--quiet")
                with sqlite3.connect("new.db") as database:
                    self.assertEqual(database.execute(columns).fetchone()[0], types)
                    found = database.execute("SELECT * FROM t").fetchall()
                    self.assertEqual([list(row) for row in found], rows)
                    tables = database.execute("SELECT name FROM sqlite_schema").fetchall()
                    self.assertEqual(tables, [("t",)])
                message = "there is a table T already"
                self.fails(FAILED, message, "new.db", "import", "T", name, "--create-table")
                os.unlink("new.db")

    def test_a_table_is_made_with_its_rows_or_not_at_all(self):
        for name, content, message in (
            ("a.csv", b"a,b\n1,2\n3\n", "a.csv:3: there are 1 fields"),
            ("a.csv", b"a,A\n1,2\n", "a.csv:2: there are two columns A"),
            ("a.json", b"[]", "a.json:1: there is no row that says"),
            ("a.json", b'[{"a":1},{"b":', "a.json:1: an object has no end"),
        ):
            with self.subTest(content):
                self.write(name, content)
                self.fails(FAILED, message, "a.db", "import", "t", name, "--create-table")
                self.must("a.db", "query", "SELECT count(*) FROM people")
                self.fails(FAILED, "no table t", "a.db", "import", "t", name)

    def test_export_replaces_only_by_force(self):
        self.write("out.csv", b"old")
        self.fails(FAILED, "out.csv exists; --force", "a.db", "export", "people", "out.csv")
        self.fails(FAILED, "no such table", "a.db", "export", "peopel", "out.csv", "--force")
        self.assertEqual(self.read("out.csv"), b"old")
        self.must("a.db", "export", "people", "out.csv", "--force")
        self.assertEqual(self.read("out.csv"), CSV)

    def test_export_refuses_what_would_not_come_back(self):
        self.must("a.db", "query", "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), (x'00')")
        for name in ("out.csv", "out.json"):
            message = "row 2: a: a BLOB in a column of another type"
            self.fails(FAILED, message, "a.db", "export", "t", name)
        self.must("a.db", "query", "DELETE FROM t; INSERT INTO t VALUES (CAST(x'ff' AS TEXT))")
        self.fails(FAILED, "row 1: a: ", "a.db", "export", "t", "out.json")

    def test_a_full_device_and_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [ORM, "a.db", "export", "people", "--format=csv"],
                check=False,
                stdout=full,
                stderr=subprocess.PIPE,
            )
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"No space left on device", done.stderr)

        def limit_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        self.write("in.csv", b"name\n" + b"".join(b"%d%s\n" % (i, b"x" * 100) for i in range(9999)))
        done = self.orm("empty.db", "import", "people", "in.csv", preexec_fn=limit_files)
        self.assertEqual(done.returncode, FAILED, done)
        self.assertEqual(self.rows("empty.db"), [])

    # Whole files.

    def test_encrypt_and_back(self):
        self.must("a.db", "encrypt", "sealed.db", "--to-key-file=key")
        self.assertNotIn(b"Ada", self.read("sealed.db"))
        sql = ("query", "SELECT name FROM people WHERE id = 1", "--format=csv")
        self.assertEqual(self.must("sealed.db", "--key-file=key", *sql), b"name\r\nAda\r\n")
        self.must("sealed.db", "--key-file=key", "query", "UPDATE people SET age = 99")
        self.must("sealed.db", "--key-file=key", "decrypt", "plain.db")
        self.assertEqual({row[2] for row in self.rows("plain.db")}, {99})
        self.fails(FAILED, "is there already", "a.db", "encrypt", "sealed.db", "--to-key-file=key")
        self.fails(
            *(FAILED, "encrypted already", "sealed.db", "--key-file=key"),
            *("encrypt", "new.db", "--to-key-file=other"),
        )

    def test_the_wrong_key_or_none(self):
        self.must("a.db", "encrypt", "sealed.db", "--to-key-file=key")
        self.fails(WRONG_KEY, "sealed.db: ", "sealed.db", "--key-file=other", "tables")
        self.fails(FAILED, "if it is encrypted, give its key", "sealed.db", "tables")
        message = "not by a password"
        self.fails(WRONG_KEY, message, "sealed.db", "--password-file=password", "tables")
        self.fails(FAILED, "opened with its key", "sealed.db", "decrypt", "plain.db")
        self.fails(FAILED, "opened with its key", "sealed.db", "rekey", "--to-key-file=other")
        self.fails(FAILED, "", "a.db", "--key-file=key", "tables")
        self.fails(FAILED, "password is not a key file", "a.db", "--key-file=password", "tables")

    def test_rekey_to_a_password(self):
        self.must("a.db", "encrypt", "sealed.db", "--to-key-file=key")
        self.must("sealed.db", "--key-file=key", "rekey", "--to-password-file=password")
        variables = dict(os.environ, WORD="correct horse", EMPTY="")
        self.assertEqual(
            self.must("sealed.db", "--password-env=WORD", "check", env=variables), b"ok\n"
        )
        self.fails(WRONG_KEY, "by a password", "sealed.db", "--key-file=key", "tables")
        for name in ("EMPTY", "NOBODY"):
            message = f"the variable {name} has no password"
            option = f"--password-env={name}"
            self.fails(FAILED, message, "sealed.db", option, "check", env=variables)

    def test_a_new_encrypted_file(self):
        sql = b"CREATE TABLE t (a); INSERT INTO t VALUES ('a secret');"
        self.must("new.db", "--create", "--key-file=key", stdin=sql)
        self.assertFalse(any(b"secret" in self.read(name) for name in os.listdir()))
        self.assertIn(b"secret", self.must("new.db", "--key-file=key", "query", "SELECT * FROM t"))

    def test_backup(self):
        self.must("a.db", "backup", "copy.db")
        self.assertEqual(self.rows("copy.db"), ROWS)
        self.fails(FAILED, "there is such a file", "a.db", "backup", "copy.db")
        self.must("a.db", "encrypt", "sealed.db", "--to-key-file=key")
        self.must("sealed.db", "--key-file=key", "backup", "sealed2.db")
        self.assertNotIn(b"Ada", self.read("sealed2.db"))
        self.assertEqual(self.must("sealed2.db", "--key-file=key", "check"), b"ok\n")

    def test_check(self):
        self.assertEqual(self.must("a.db", "check"), b"ok\n")
        self.must("a.db", "encrypt", "sealed.db", "--to-key-file=key")
        sealed = bytearray(self.read("sealed.db"))
        sealed[-100] ^= 1
        self.write("sealed.db", sealed)
        self.fails(FAILED, "sealed.db: ", "sealed.db", "--key-file=key", "check")
        page = 4096
        plain = bytearray(self.read("a.db"))
        plain[page : page + 2000] = os.urandom(2000)
        self.write("a.db", plain)
        self.fails(FAILED, "", "a.db", "check")

    def test_what_is_no_database(self):
        self.fails(FAILED, "none.db: there is no such file; --create", "none.db", "tables")
        self.write("text.db", b"no database\n" * 1000)
        self.fails(FAILED, "text.db: ", "text.db", "tables")
        self.assertEqual(self.read("text.db"), b"no database\n" * 1000)

    # Migrations.

    def migrations(self):
        self.write("m/1-towns.up.sql", b"CREATE TABLE towns (id INTEGER PRIMARY KEY, name TEXT);\n")
        self.write("m/1-towns.down.sql", b"DROP TABLE towns;\n")
        self.write("m/10-size.up.sql", b"ALTER TABLE towns ADD COLUMN size INTEGER; -- people")
        self.write("m/10-size.down.sql", b"ALTER TABLE towns DROP COLUMN size")
        self.write("m/2-first.up.sql", b"INSERT INTO towns (name) VALUES ('Rome');")
        self.write("m/README.md", b"no migration")

    def version(self):
        return self.rows(sql="PRAGMA user_version")[0][0]

    def test_migrate_up_and_down(self):
        self.migrations()
        before = self.read("a.db")
        dry = self.must("a.db", "migrate", "m", "--dry-run").decode()
        self.assertEqual(
            re.findall("CREATE|INSERT|ALTER|version = [0-9]+", dry),
            ["CREATE", "version = 1", "INSERT", "version = 2", "ALTER", "version = 10"],
        )
        self.assertEqual(self.read("a.db"), before)
        self.assertEqual(self.must("a.db", "migrate", "m").decode(), dry)
        self.assertEqual(self.rows(sql="SELECT * FROM towns"), [(1, "Rome", None)])
        self.assertEqual((self.version(), self.rows()), (10, ROWS))
        self.assertEqual(self.must("a.db", "migrate", "m"), b"")
        self.assertIn(b"DROP COLUMN", self.must("a.db", "migrate", "m", "2"))
        self.assertEqual(self.version(), 2)
        self.fails(FAILED, "there is no way back from version 2", "a.db", "migrate", "m", "0")
        self.write("m/2-first.down.sql", b"DELETE FROM towns")
        self.must("a.db", "migrate", "m", "0")
        self.assertEqual((self.version(), self.rows()), (0, ROWS))
        self.assertNotIn(b"towns", self.must("a.db", "tables"))

    def test_a_migration_that_fails_leaves_what_was_before(self):
        self.migrations()
        self.write("m/3-typo.up.sql", b"INSERT INTO towns (name) VALUES ('Oslo'); DELET FROM x;")
        self.fails(FAILED, "from version 2 to 3: ", "a.db", "migrate", "m")
        self.assertEqual(self.version(), 2)
        self.assertEqual(self.rows(sql="SELECT name FROM towns"), [("Rome",)])

    def test_wrong_migrations(self):
        self.fails(FAILED, "none: ", "a.db", "migrate", "none")
        os.mkdir("m")
        self.fails(FAILED, "m: has no migrations", "a.db", "migrate", "m")
        self.migrations()
        self.fails(FAILED, "no migration to version 7", "a.db", "migrate", "m", "7")
        self.fails(FAILED, "'up' is no version", "a.db", "migrate", "m", "up")
        for name, message in (
            ("m/2-again.up.sql", "has the number of 2-first"),
            ("m/4-lost.down.sql", "has no .up.sql beside it"),
            ("m/5-name.sql", "not called NUMBER-NAME.up.sql"),
            ("m/five-name.up.sql", "not called NUMBER-NAME.up.sql"),
        ):
            with self.subTest(name):
                self.write(name, b"SELECT 1")
                self.fails(FAILED, message, "a.db", "migrate", "m")
                os.remove(name)
        self.assertEqual(self.version(), 0)

    # The shell.

    def test_a_script(self):
        self.write("in.csv", b"name\nnew\n")
        said = self.must(
            "a.db",
            stdin=b"""
            tables
            BEGIN;
            import people 'in.csv' --quiet
            SELECT count(*)
              AS n FROM people;  SELECT ';' AS semicolon;
            ROLLBACK;
            query "SELECT count(*) AS m FROM people" --format=csv
            """,
        )
        self.assertIn(b"people", said)
        self.assertTrue(said.endswith(b"n\n-\n5\nsemicolon\n---------\n;\nm\r\n4\r\n"), said)
        self.assertEqual(self.rows(), ROWS)

    def test_a_script_ends_at_an_error(self):
        for message, script in (
            ("line 2: no such table: x", b"SELECT 1;\nSELECT\n* FROM x;\nDELETE FROM people;"),
            ("line 1: near", b"tabels;\nDELETE FROM people;"),
            ("line 1: tables knows no --format", b"tables --format=csv\nDELETE FROM people;"),
            ("line 1: --key-file is not for the shell", b"tables --key-file=key\n"),
            ("line 1: a quote without", b"schema 'people\n"),
            ("line 2: a statement without its ;", b"SELECT 1;\nDELETE FROM people"),
            ("rolled back", b"BEGIN; DELETE FROM people;"),
            ("line 1: the shell reads", b"import people --format=csv\nname\n"),
            ("a transaction is open", b"BEGIN;\nencrypt b.db --to-key-file=key\n"),
        ):
            with self.subTest(script):
                self.fails(FAILED, message, "a.db", stdin=script)
                self.assertEqual(self.rows(), ROWS)

    def test_a_database_in_memory(self):
        self.write("in.csv", CSV)
        script = SCHEMA.encode() + b"import people in.csv --quiet\nexport people out.csv\n"
        self.must(":memory:", stdin=script)
        self.assertEqual(self.read("out.csv"), CSV)
        self.migrations()
        self.fails(FAILED, "line 1: a database in memory", ":memory:", stdin=b"migrate m\n")

    def test_quit(self):
        self.must("a.db", stdin=b"quit\nDELETE FROM people;\n")
        self.assertEqual(self.rows(), ROWS)

    # The terminal.

    def at_terminal(self, answers, *arguments):
        """What the command says at a terminal of its own, and its exit status."""
        child, terminal = pty.fork()
        if child == 0:
            os.execv(ORM, [ORM, *arguments])
        said = b""
        for prompt, answer in answers:
            while not re.search(prompt, said):
                said += os.read(terminal, 1000)
            os.write(terminal, answer + b"\n")
            said = said[re.search(prompt, said).end() :]
        rest = said
        try:
            while more := os.read(terminal, 1000):
                rest += more
        except OSError:
            pass
        os.close(terminal)
        return rest, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_password_is_asked_for(self):
        twice = [(b"Password: ", b"secret1"), (b"again: ", b"secret1")]
        said, status = self.at_terminal(twice, "a.db", "encrypt", "sealed.db", "--to-ask")
        self.assertEqual(status, 0, said)
        self.assertNotIn(b"secret", said)
        command = ("sealed.db", "--ask", "check")
        said, status = self.at_terminal([(b"Password: ", b"secret1")], *command)
        self.assertEqual((said.strip(), status), (b"ok", 0))
        said, status = self.at_terminal([(b"Password: ", b"secret2")], *command)
        self.assertEqual(status, WRONG_KEY, said)
        self.fails(FAILED, "no terminal", "sealed.db", "--ask", "check")

    def test_a_terminal_gets_no_control_characters(self):
        values = "INSERT INTO t VALUES ('\x1b[2J\x7f', '\u009b')"
        self.must("a.db", "query", f'CREATE TABLE t ("\x1b", b); {values}')
        for command in (["schema", "t"], ["export", "t", "--format=csv"], ["query", "TABLES \x1b"]):
            said, _ = self.at_terminal([], "a.db", *command)
            self.assertNotRegex(said, rb"[\x1b\x7f]|\xc2\x9b")
        self.assertIn(b"\x1b[2J", self.must("a.db", "export", "t", "--format=csv"))

    def test_the_shell_goes_on_after_an_error(self):
        said, status = self.at_terminal(
            [
                (b"orm> ", b"SELECT * FROM peopel;"),
                (b"no such table: peopel\r\norm> ", b"SELECT count(*)"),
                (rb"\.\.\.> ", b"FROM people;"),
                (b"4\r\norm> ", b"tabels"),
                (rb"\.\.\.> ", b";"),
                (b"near .tabels.: syntax error\r\norm> ", b"quit"),
            ],
            "a.db",
        )
        self.assertEqual(status, 0, said)

    def test_a_signal_ends_an_import_and_a_query(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out, into = os.pipe()
            run = subprocess.Popen(
                [ORM, "empty.db", "import", "people", "--format=csv"],
                stdin=out,
                stderr=subprocess.PIPE,
            )
            os.close(out)
            # More than a pipe holds: when all is in it, some was read.
            os.write(into, b"name\n" + b"".join(b"%d\n" % i for i in range(50_000)))
            run.send_signal(number)
            said = run.communicate()[1]
            os.close(into)
            self.assertEqual((run.returncode, said), (-number, b""))
            self.assertEqual(self.rows("empty.db"), [])
        numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        forever = f"SELECT 1; {numbers} SELECT max(x) FROM n"
        run = subprocess.Popen([ORM, "a.db", "query", forever], stdout=subprocess.PIPE)
        self.assertEqual(run.stdout.readline(), b"1\n")
        run.send_signal(signal.SIGINT)
        run.stdout.close()
        self.assertEqual(run.wait(), -signal.SIGINT)

    # Usage.

    def test_help(self):
        for arguments in (["--help"], ["-h"], ["help"], ["a.db", "help"], ["a.db", "tables", "-h"]):
            self.assertIn(b"migrate FOLDER", self.must(*arguments))

    def test_wrong_usage(self):
        for message, *arguments in (
            ("no database",),
            ("unknown command tabels; there are: tables, schema", "a.db", "tabels"),
            ("unknown option --forse", "a.db", "export", "people", "--forse"),
            ("unknown option --password", "a.db", "--password=secret", "tables"),
            ("unknown option --key", "a.db", "--key=1234", "tables"),
            ("tables knows no --format", "a.db", "tables", "--format=csv"),
            ("import knows no --force", "a.db", "import", "people", "--force"),
            ("the shell knows no --dry-run", "a.db", "--dry-run"),
            ("--key-file wants a value", "a.db", "--key-file", "key", "tables"),
            ("--create takes no value", "a.db", "--create=yes", "tables"),
            ("it is export TABLE [OUTPUT]", "a.db", "export"),
            ("it is tables", "a.db", "tables", "people"),
            ("export knows no format table", "a.db", "export", "people", "--format=table"),
            ("query knows no format xml", "a.db", "query", "SELECT 1", "--format=xml"),
            ("encrypt wants a key", "a.db", "encrypt", "b.db"),
            ("exclude each other", "a.db", "--key-file=key", "--ask", "tables"),
            ("exclude each other", "a.db", "rekey", "--to-key-file=key", "--to-ask"),
            ("a database without a name", "", "tables"),
        ):
            with self.subTest(message):
                done = self.fails(USAGE, message, *arguments)
                self.assertIn(b"Try: orm --help", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
