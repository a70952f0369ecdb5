#!/usr/bin/env -S python3 -B
"""Runs the command as its users do.

  seal_test.py SEAL
"""

import os
import pty
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import unittest

SEAL = os.path.abspath(sys.argv[1])

FAILED, USAGE, NOT_AUTHENTIC = 1, 2, 3

# What runs in the background may have inherited that they are ignored, and hand it on.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)

# A password that need not be remembered, and text of several chunks.
PASSWORD = b"correct horse\nonly the first line counts\n"
TEXT = bytes(range(256)) * 1000 + b"end"


def wait_for(channel, pattern):
    """What a terminal or pipe says until it matches; an end before that is a failure."""
    said = b""
    while not re.search(pattern, said):
        try:
            more = os.read(channel, 1000)
        except OSError:
            more = b""
        assert more, f"{pattern} did not come: {said}"
        said += more
    return said


class SealTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        os.chdir(self.folder)
        self.write("password", PASSWORD)
        self.write("text", TEXT)
        self.must("keygen", "--output=key")
        self.names = set(os.listdir())

    def tearDown(self):
        shutil.rmtree(self.folder)

    @staticmethod
    def write(name, content):
        with open(name, "wb") as file:
            file.write(content)

    @staticmethod
    def read(name):
        with open(name, "rb") as file:
            return file.read()

    @staticmethod
    def seal(*arguments, stdin=b"", **options):
        # A session of its own has no terminal to ask.
        return subprocess.run(
            [SEAL, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            start_new_session=True,
            **options,
        )

    def must(self, *arguments, **options):
        done = self.seal(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def fails(self, code, message, *arguments, **options):
        """The command fails so, and says so; no file comes or goes."""
        before = set(os.listdir())
        done = self.seal(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(message, done.stderr.decode())
        self.assertEqual(set(os.listdir()), before)
        return done

    def expect_new(self, *names):
        self.assertEqual(set(os.listdir()) - self.names, set(names))

    # Files.

    def test_files_by_key(self):
        self.must("encrypt", "--key-file=key", "text")
        self.assertNotIn(TEXT[:64], self.read("text.sealed"))
        os.remove("text")
        self.must("decrypt", "--key-file=key", "text.sealed")
        self.assertEqual(self.read("text"), TEXT)
        self.expect_new("text.sealed")

    def test_files_by_password(self):
        self.must("encrypt", "text", "--password-file=password", "--output=sealed")
        self.write("password", PASSWORD.split(b"\n")[0])
        self.must("decrypt", "sealed", "--password-file=password", "--output=opened")
        self.assertEqual(self.read("opened"), TEXT)

    def test_an_empty_file(self):
        self.write("empty", b"")
        self.must("encrypt", "--key-file=key", "empty")
        self.must("decrypt", "--key-file=key", "--output=opened", "empty.sealed")
        self.assertEqual(self.read("opened"), b"")

    def test_a_name_that_looks_like_an_option(self):
        self.write("--quiet", TEXT)
        self.must("encrypt", "--key-file=key", "--", "--quiet")
        self.expect_new("--quiet", "--quiet.sealed")

    def test_permissions(self):
        os.chmod("text", 0o640)
        self.must("encrypt", "--key-file=key", "text")
        self.assertEqual(stat.S_IMODE(os.stat("text.sealed").st_mode), 0o640)
        self.must("decrypt", "--key-file=key", "--output=opened", "text.sealed")
        self.assertEqual(stat.S_IMODE(os.stat("opened").st_mode), 0o600)

    # Keys.

    def test_keygen(self):
        key = self.read("key")
        self.assertRegex(key, rb"\A[0-9a-f]{64}\n\Z")
        self.assertEqual(stat.S_IMODE(os.stat("key").st_mode), 0o600)
        self.fails(FAILED, "key exists", "keygen", "--output=key")
        self.assertEqual(self.read("key"), key)
        self.must("keygen", "--output=other")
        self.assertNotEqual(self.read("other"), key)

    def test_a_file_that_is_no_key(self):
        for content in (b"", b"a" * 63, b"a" * 65, b"g" * 64, b"A" * 64, os.urandom(32)):
            self.write("key", content)
            self.fails(FAILED, "key is not a key file", "encrypt", "--key-file=key", "text")
        self.fails(FAILED, "cannot open none", "encrypt", "--key-file=none", "text")

    def test_a_file_that_is_no_password(self):
        for content, message in ((b"", "is empty"), (b"\nword", "is empty"), (b"p" * 4097, "4096")):
            self.write("password", content)
            self.fails(FAILED, message, "encrypt", "--password-file=password", "text")

    def test_the_wrong_password(self):
        self.must("encrypt", "--password-file=password", "text")
        self.write("password", b"another")
        wrong = self.fails(
            NOT_AUTHENTIC,
            "wrong",
            *("decrypt", "--password-file=password", "--output=opened", "text.sealed"),
        )
        # Damage is told by the same words.
        self.write("password", PASSWORD)
        self.write("text.sealed", self.read("text.sealed")[:-1])
        damaged = self.fails(
            NOT_AUTHENTIC,
            "wrong",
            *("decrypt", "--password-file=password", "--output=opened", "text.sealed"),
        )
        self.assertEqual(wrong.stderr, damaged.stderr)

    def test_the_wrong_kind_of_key(self):
        self.must("encrypt", "--key-file=key", "text")
        message = "sealed with a key, not with a password"
        command = ("decrypt", "--password-file=password", "--output=opened", "text.sealed")
        self.fails(FAILED, message, *command)

    def test_what_is_not_sealed(self):
        command = ("decrypt", "--key-file=key", "--output=opened", "text")
        self.fails(FAILED, "not a sealed file", *command)

    # Outputs that exist.

    def test_an_output_is_replaced_only_by_force(self):
        self.write("text.sealed", b"old")
        command = ("encrypt", "--key-file=key", "text")
        self.fails(FAILED, "text.sealed exists; --force replaces it", *command)
        self.assertEqual(self.read("text.sealed"), b"old")
        self.must(*command, "--force")
        self.must("decrypt", "--key-file=key", "--force", "text.sealed")
        self.assertEqual(self.read("text"), TEXT)

    def test_the_old_output_stays_if_the_input_is_damaged(self):
        self.must("encrypt", "--key-file=key", "text", "--output=sealed")
        self.write("sealed", self.read("sealed")[:-1])
        self.write("old", b"old")
        command = ("decrypt", "--key-file=key", "--force", "--output=old", "sealed")
        self.fails(NOT_AUTHENTIC, "damaged", *command)
        self.assertEqual(self.read("old"), b"old")

    def test_the_old_output_stays_if_the_disk_is_full(self):
        self.write("old", b"old")

        def limit_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        command = ("encrypt", "--key-file=key", "--force", "--output=old", "text")
        self.fails(FAILED, "cannot write to old", *command, preexec_fn=limit_files)
        self.assertEqual(self.read("old"), b"old")

    def test_only_a_file_is_replaced(self):
        os.mkfifo("pipe")
        for output in (self.folder, "pipe"):
            command = ("encrypt", "--key-file=key", "--force", "--output=" + output, "text")
            self.fails(FAILED, output + " is not a regular file", *command)

    # Pipes.

    def test_pipes(self):
        sealed = self.must("encrypt", "--key-file=key", stdin=TEXT)
        self.assertEqual(self.must("decrypt", "--key-file=key", "-", stdin=sealed), TEXT)
        self.write("sealed", sealed)
        self.assertEqual(self.must("decrypt", "--key-file=key", "--output=-", "sealed"), TEXT)
        self.must("encrypt", "--key-file=key", "--output=from_pipe", stdin=TEXT)
        self.assertEqual(stat.S_IMODE(os.stat("from_pipe").st_mode), 0o600)

    def test_a_pipe_that_was_cut_off(self):
        sealed = self.must("encrypt", "--key-file=key", stdin=TEXT)
        done = self.fails(NOT_AUTHENTIC, "not all", "decrypt", "--key-file=key", stdin=sealed[:-9])
        # What came out was verified.
        self.assertEqual(done.stdout, TEXT[: len(done.stdout)])
        self.assertEqual(len(done.stdout) % 65536, 0)

    def test_a_full_device(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [SEAL, "encrypt", "--key-file=key", "--output=-", "text"],
                check=False,
                stdout=full,
                stderr=subprocess.PIPE,
            )
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"No space left on device", done.stderr)

    def test_a_reader_that_leaves(self):
        out, into = os.pipe()
        os.close(out)
        done = subprocess.run(
            [SEAL, "encrypt", "--key-file=key", "--output=-", "text"],
            check=False,
            stdout=into,
            stderr=subprocess.PIPE,
        )
        os.close(into)
        self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))

    # Signals.

    def interrupted(self, number):
        """Interrupts a run that has written a part over "old"."""
        self.write("old", b"old")
        out, into = os.pipe()
        run = subprocess.Popen(
            [SEAL, "encrypt", "--key-file=key", "--force", "--output=old"],
            stdin=out,
            stderr=subprocess.PIPE,
        )
        os.close(out)
        # More than a pipe holds: when all is in it, some was read.
        os.write(into, bytes(300_000))
        run.send_signal(number)
        said = run.communicate()[1]
        os.close(into)
        self.assertEqual(self.read("old"), b"old")
        return run.returncode, said

    def test_a_signal_leaves_the_old_file_alone(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.assertEqual(self.interrupted(number), (-number, b""))
            self.expect_new("old")

    def test_a_kill_leaves_the_old_file(self):
        # Where the file system knows no files without a name, one is left.
        self.assertEqual(self.interrupted(signal.SIGKILL), (-signal.SIGKILL, b""))

    def test_an_ignored_signal_stays_ignored(self):
        out, into = os.pipe()
        run = subprocess.Popen(
            [SEAL, "encrypt", "--key-file=key", "--output=sealed"],
            stdin=out,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
        )
        os.close(out)
        os.write(into, bytes(300_000))
        run.send_signal(signal.SIGHUP)
        os.close(into)
        self.assertEqual(run.wait(), 0)

    # The terminal.

    def at_terminal(self, *arguments):
        """Starts the command with a terminal of its own; returns its process and the other end."""
        child, terminal = pty.fork()
        if child == 0:
            os.execv(SEAL, [SEAL, *arguments])
        return child, terminal

    def end(self, child, terminal):
        """The rest of what it says, and its exit status."""
        said = b""
        try:
            while more := os.read(terminal, 1000):
                said += more
        except OSError:
            pass
        os.close(terminal)
        return said, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def type_in(self, answers, *arguments):
        child, terminal = self.at_terminal(*arguments)
        for prompt, answer in answers:
            wait_for(terminal, prompt)
            os.write(terminal, answer + b"\n")
        said, status = self.end(child, terminal)
        for _, answer in answers:
            self.assertNotIn(answer, said)
        return said, status

    def test_a_password_is_asked_for(self):
        twice = [(b"Password: ", b"secret1"), (b"again: ", b"secret1")]
        said, status = self.type_in(twice, "encrypt", "text")
        self.assertEqual(status, 0, said)
        once = [(b"Password: ", b"secret1")]
        said, status = self.type_in(once, "decrypt", "--output=opened", "text.sealed")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.read("opened"), TEXT)
        wrong = [(b"Password: ", b"secret2")]
        said, status = self.type_in(wrong, "decrypt", "--output=other", "text.sealed")
        self.assertEqual(status, NOT_AUTHENTIC, said)

    def test_two_passwords_that_differ(self):
        answers = [(b"Password: ", b"secret1"), (b"again: ", b"secret2")]
        said, status = self.type_in(answers, "encrypt", "text")
        self.assertEqual(status, FAILED)
        self.assertIn(b"differ", said)
        self.expect_new()

    def test_an_interrupted_prompt(self):
        child, terminal = self.at_terminal("encrypt", "text")
        wait_for(terminal, b"Password: ")
        os.write(terminal, b"sec\x03")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.assertEqual(status, -signal.SIGINT)
        # What is typed next shows again.
        self.assertTrue(termios.tcgetattr(terminal)[3] & termios.ECHO)
        self.assertNotIn(b"sec", os.read(terminal, 1000))
        os.close(terminal)
        self.expect_new()

    def test_nobody_to_ask(self):
        self.fails(FAILED, "no terminal", "encrypt", "text")

    def test_a_terminal_gets_nothing_sealed(self):
        said, status = self.type_in([], "encrypt", "--key-file=key", "--output=-", "text")
        self.assertEqual(status, USAGE)
        self.assertIn(b"say --output=FILE", said)
        self.assertNotIn(b"Sealed", said)

    def test_progress_is_for_a_terminal(self):
        command = ("encrypt", "--key-file=key")
        runs = {
            "quiet": self.at_terminal(*command, "--quiet", "--output=quiet"),
            "loud": self.at_terminal(*command, "--output=loud"),
        }
        said = {"quiet": b"", "loud": b""}
        # Twice, for then it is time for the other one to have shown something.
        while said["loud"].count(b" MiB") < 2:
            for name, (_, terminal) in runs.items():
                os.write(terminal, b"line\n")
                said[name] += os.read(terminal, 1000)
        for name, (child, terminal) in runs.items():
            os.write(terminal, b"\x04")
            rest, status = self.end(child, terminal)
            self.assertEqual(status, 0, rest)
            said[name] += rest
        self.assertNotIn(b"MiB", said["quiet"])

    # Usage.

    def test_help(self):
        for command in (["--help"], ["-h"], ["encrypt", "--help"], ["keygen", "-h"]):
            self.assertIn(b"seal encrypt notes.txt", self.must(*command))

    def test_wrong_usage(self):
        for message, *arguments in (
            ("no command",),
            ("unknown command encript", "encript", "text"),
            ("unknown option --forse", "encrypt", "--forse", "text"),
            ("unknown option --key", "encrypt", "--key=key", "text"),
            ("unknown option -f", "encrypt", "-f", "text"),
            ("unknown option --force", "keygen", "--force", "--output=new"),
            ("--key-file wants a value", "encrypt", "--key-file", "key", "text"),
            ("--output wants a value", "encrypt", "--output=", "text"),
            ("--force takes no value", "encrypt", "--force=yes", "text"),
            ("more than one input: text and key", "encrypt", "text", "key"),
            ("without a name", "encrypt", ""),
            ("exclude each other", "encrypt", "--key-file=key", "--password-file=password", "text"),
            ("text does not end in .sealed", "decrypt", "--key-file=key", "text"),
            ("keygen wants --output", "keygen"),
            ("keygen wants --output", "keygen", "--output=-"),
            ("keygen reads no file: text", "keygen", "--output=new", "text"),
        ):
            with self.subTest(message):
                done = self.fails(USAGE, message, *arguments)
                self.assertIn(b"Try: seal --help", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
