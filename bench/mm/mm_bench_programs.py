"""The real programs of the allocator benchmark, and the inputs that they work on.

Inputs are generated from constant seeds into a temporary directory, so nothing that happens to be
on the machine is measured.
"""

import os
import random
import shutil
import subprocess


class Program:
    """A program of the system and how to run it.

    prepare(directory, scale) writes the inputs. After it, command(directory, scale) is the argument
    list with an absolute path first, `stdin` names an input file in the directory or is None, and
    `output` names a file that is compared together with standard output, or is None.
    """

    def __init__(self, name, executable, prepare, command, package, stdin=None, output=None,
                 environment=None):
        self.name = name
        self.executable = executable
        self.prepare = prepare
        self.command = command
        self.package = package
        self.stdin = stdin
        self.output = output
        self.environment = environment or {}

    def path(self):
        """Returns the program's absolute path, or None. Debian's own comes before others."""
        search = "/usr/bin:/bin:" + os.environ.get("PATH", "")
        return shutil.which(self.executable, path=search)


def _source(name):
    return os.path.join(os.path.dirname(os.path.realpath(__file__)), "programs", name)


def _copy(name):
    """Returns a prepare function that copies a file from programs/."""
    def prepare(directory, scale):
        del scale
        shutil.copyfile(_source(name), os.path.join(directory, name))
    return prepare


def _run_script(script):
    def command(path, directory, scale):
        return [path, os.path.join(directory, script), str(scale)]
    return command


_SQL_QUERIES = """
CREATE INDEX orders_customer ON orders(customer, day);
SELECT count(*), sum(amount), max(length(note)) FROM orders;
SELECT city, count(*), round(sum(amount), 2) FROM orders JOIN customers ON customer = customers.id
  GROUP BY city ORDER BY 3 DESC LIMIT 20;
CREATE TABLE totals AS SELECT customer, group_concat(substr(note, 1, 8), '|') AS notes,
  sum(amount) AS total FROM orders GROUP BY customer;
SELECT count(*), sum(length(notes)) FROM totals;
UPDATE orders SET note = upper(note) || day WHERE customer % 3 = 0;
DELETE FROM orders WHERE day % 5 = 0;
WITH ranked AS (SELECT customer, amount, row_number() OVER (PARTITION BY customer ORDER BY amount)
  AS place FROM orders) SELECT count(*), round(sum(amount), 2) FROM ranked WHERE place <= 3;
SELECT count(DISTINCT note), sum(length(note)) FROM orders;
SELECT name FROM customers WHERE name LIKE '%77%' ORDER BY name LIMIT 10;
"""


def _prepare_sqlite(directory, scale):
    """Writes a script of statements as a dump has them: many short inserts, then queries."""
    rng = random.Random(11)
    customers = 20000
    orders = int(300000 * scale) + 1000
    with open(os.path.join(directory, "work.sql"), "w", encoding="ascii") as out:
        out.write("CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT, city TEXT);\n"
                  "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INT, day INT,"
                  " amount REAL, note TEXT);\nBEGIN;\n")
        for i in range(customers):
            out.write("INSERT INTO customers VALUES(%d,'customer %d','city %d');\n"
                      % (i, rng.randrange(10**6), i % 97))
        for i in range(orders):
            out.write("INSERT INTO orders VALUES(%d,%d,%d,%.2f,'%s');\n"
                      % (i, rng.randrange(customers), i % 365, rng.random() * 1000,
                         "note %x " % rng.getrandbits(40) * rng.randrange(1, 4)))
        out.write("COMMIT;\n" + _SQL_QUERIES)


def _git(directory, *arguments, **options):
    subprocess.run([shutil.which("git", path="/usr/bin:/bin:" + os.environ.get("PATH", "")),
                    "-C", directory, *arguments], check=True, env=environment(directory),
                   stdout=subprocess.DEVNULL, **options)


def _git_stream(scale):
    """Yields a history for `git fast-import`: each commit changes lines in three of 90 files."""
    rng = random.Random(12)
    files = [[("line %d of the first version %x" % (j, rng.getrandbits(60)))
              for j in range(400)] for _ in range(90)]
    for commit in range(int(1500 * scale) + 10):
        message = "commit %d" % commit
        yield ("commit refs/heads/main\ncommitter A U Thor <author@example.com> %d +0000\n"
               "data %d\n%s\n" % (1600000000 + commit * 600, len(message), message))
        for _ in range(3):
            index = rng.randrange(len(files))
            lines = files[index]
            for _ in range(rng.randrange(1, 12)):
                place = rng.randrange(len(lines))
                if rng.random() < 0.2:
                    lines.insert(place, "a new line %x" % rng.getrandbits(50))
                else:
                    lines[place] = "changed in %d to %x" % (commit, rng.getrandbits(50))
            text = "\n".join(lines) + "\n"
            yield "M 100644 inline dir%d/file%d.txt\ndata %d\n%s\n" % (index % 9, index, len(text),
                                                                      text)


def _prepare_git(directory, scale):
    repository = os.path.join(directory, "repository")
    if os.path.exists(repository):
        return
    os.mkdir(repository)
    _git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
    stream = "".join(_git_stream(scale)).encode("ascii")
    _git(repository, "fast-import", "--quiet", input=stream)
    with open(os.path.join(directory, "nothing"), "w", encoding="ascii"):
        pass


def _git_log(path, directory, scale):
    del scale
    return [path, "-C", os.path.join(directory, "repository"), "log", "-p", "--stat", "--no-color",
            "main"]


def _git_pack(path, directory, scale):
    del scale
    # One thread: with more, which deltas are found depends on how the threads are scheduled.
    return [path, "-C", os.path.join(directory, "repository"), "pack-objects", "--all", "--stdout",
            "--quiet", "--window=4", "--threads=1", "--no-reuse-delta", "--no-reuse-object"]


PROGRAMS = [
    Program("python3", "python3", _copy("work.py"), _run_script("work.py"), "python3",
            environment={"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0",
                         "PYTHONDONTWRITEBYTECODE": "1"}),
    Program("sqlite3", "sqlite3", _prepare_sqlite,
            lambda path, directory, scale: [path, "-batch", ":memory:"], "sqlite3",
            stdin="work.sql"),
    Program("g++", "g++", _copy("heavy.cc"),
            lambda path, directory, scale: [path, "-std=c++20", "-O2", "-c", "-o",
                                            os.path.join(directory, "heavy.o"),
                                            os.path.join(directory, "heavy.cc")], "g++",
            output="heavy.o"),
    Program("perl", "perl", _copy("work.pl"), _run_script("work.pl"), "perl",
            environment={"PERL_HASH_SEED": "0"}),
    Program("git-log", "git", _prepare_git, _git_log, "git"),
    Program("git-pack", "git", _prepare_git, _git_pack, "git", stdin="nothing"),
    Program("node", "node", _copy("work.js"), _run_script("work.js"), "nodejs"),
]


def environment(directory):
    """Returns the environment of a measured command: nothing of the user's own settings."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": directory,
        "TMPDIR": directory,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
