#!/usr/bin/env python3
"""Kills a service under load again and again: what it has acknowledged is there when it is back.

    kill_stress.py CONSOLE PAGE [SECONDS [SEED]]

Writers create, change and delete rows of their own by REST; a follower reads the feed of changes
all the while, and goes on after the last one that it has seen. Then SIGKILL, at any moment.
Afterwards:

  - each row is as its last acknowledged write has left it, or as the one write that was not
    answered would have;
  - the follower has had every change once, in order, without a gap;
  - what the follower has made of them is what the table holds.

Half of the time the file is encrypted. A run prints its seed, which repeats the choices.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

WRITERS = 4
ROUND_S = 1.5
START_S = 60
PATH = "/api/people"


class Service:
    """The console, on a port of its own."""

    def __init__(self, program, page, file, encrypted):
        command = [program, "--address=127.0.0.1:0", f"--page={page}", f"--file={file}"]
        command.append("--people=1")
        if encrypted:
            command.append(f"--key-file={file}.key")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith("http://"):
            raise RuntimeError(f"the service did not start: {self.end(signal.SIGKILL)}")
        self.host = line[len("http://") :]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)

    def end(self, number):
        """How it ended, by a signal if it had not yet."""
        self.process.send_signal(number)
        status = self.process.wait(START_S)
        self.process.stdout.close()
        return status

    def ask(self, method, path, row=None, connection=None):
        """Status and JSON of an answer; an exception of the connection if there is none."""
        own = connection or http.client.HTTPConnection(self.host, timeout=START_S)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        body = None if row is None else json.dumps(row)
        own.request(method, path, body, {"Content-Type": kind} if body else {})
        answer = own.getresponse()
        text = answer.read()
        if connection is None:
            own.close()
        return answer.status, json.loads(text) if text else None


class Writer:
    """Rows of one thread, by name: [age, id] as acknowledged; and the write that is in doubt."""

    def __init__(self, name, seed):
        self.name = name
        self.random = random.Random(seed)
        self.rows = {}
        self.made = 0
        self.doubt = None  # (name, what its age would be; None for a delete)
        self.acknowledged = 0

    def run(self, service, stop):
        connection = http.client.HTTPConnection(service.host, timeout=START_S)
        try:
            while not stop.is_set():
                self.step(service, connection)
        except (OSError, http.client.HTTPException):
            pass  # It was killed.
        finally:
            connection.close()

    def step(self, service, connection):
        choice = self.random.random()
        age = self.random.randrange(150)
        if not self.rows or choice < 0.4:
            name = f"{self.name}-{self.made}"
            self.made += 1
            self.doubt = (name, age)
            row = {"name": name, "age": age}
            status, row = service.ask("POST", PATH, row, connection)
            expect(status == 201, f"POST gave {status}: {row}")
            self.rows[name] = [age, row["id"]]
        else:
            name = self.random.choice(sorted(self.rows))
            where = f"{PATH}/{self.rows[name][1]}"
            if choice < 0.8:
                self.doubt = (name, age)
                status, row = service.ask("PATCH", where, {"age": age}, connection)
                expect(status == 200 and row["age"] == age, f"PATCH gave {status}: {row}")
                self.rows[name][0] = age
            else:
                self.doubt = (name, None)
                status, row = service.ask("DELETE", where, None, connection)
                expect(status == 204, f"DELETE gave {status}: {row}")
                del self.rows[name]
        self.doubt = None
        self.acknowledged += 1

    def settle(self, found):
        """What became of the write in doubt, by what was found: {name: row}."""
        if self.doubt is None:
            return
        name, age = self.doubt
        row = found.get(name)
        known = self.rows.get(name)
        done = row is None if age is None else row is not None and row["age"] == age
        if done and age is None:
            self.rows.pop(name, None)
        elif done:
            self.rows[name] = [age, row["id"]]
        else:
            expect((row is None) == (known is None), f"{name}: {row}, but was {known}")
        self.doubt = None


class Follower:
    """A copy of the table, made of its changes alone."""

    def __init__(self):
        self.last = 0
        self.rows = {}

    def run(self, service, stop):
        """Until the service is gone, or all has come that `stop` waits for."""
        connection = http.client.HTTPConnection(service.host, timeout=START_S)
        try:
            path = f"{PATH}?changes&since={self.last}"
            connection.request("GET", path, headers={"Accept": "text/event-stream"})
            answer = connection.getresponse()
            expect(answer.status == 200, f"the feed gave {answer.status}")
            while not stop():
                line = answer.readline()
                if not line:
                    return
                if line.startswith(b"data:"):
                    self.take(json.loads(line[len(b"data:") :]))
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            pass  # It was killed, perhaps within a line.
        finally:
            connection.close()

    def take(self, change):
        kind, sequence = change["change"], change["sequence"]
        expect(kind != "gap", f"a gap before {sequence}")
        if kind == "start":
            expect(sequence == self.last, f"starts at {sequence}, not at {self.last}")
            return
        expect(sequence == self.last + 1, f"change {sequence} after {self.last}")
        self.last = sequence
        if kind == "delete":
            self.rows.pop(change["row"]["id"])
        else:
            self.rows[change["row"]["id"]] = change["row"]


failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        raise AssertionError(what)


def guarded(run, *arguments):
    """A thread whose failure is that of the test."""

    def body():
        try:
            run(*arguments)
        except AssertionError:
            pass  # It is in `failures`.

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread


def check(service, writers, follower):
    """Compares everything, while nobody writes."""
    status, rows = service.ask("GET", f"{PATH}?limit=all")
    expect(status == 200, f"the list gave {status}")
    found = {row["name"]: row for row in rows}
    for writer in writers:
        writer.settle(found)
        for name, (age, number) in writer.rows.items():
            row = found.get(name)
            expect(row is not None, f"{name} was acknowledged, and is lost")
            expect((row["age"], row["id"]) == (age, number), f"{name} is {row}, not {age}")
    mine = {name for writer in writers for name in writer.rows}
    more = {name for name in found if "-" in name} - mine
    expect(not more, f"rows that nobody has made: {more}")

    # Up to a change that is made now, so that the follower knows where to stop.
    _, last = service.ask("PATCH", f"{PATH}/1", {"age": random.randrange(150)})
    follower.run(service, lambda: follower.rows.get(1) == last)
    _, rows = service.ask("GET", f"{PATH}?limit=all")
    expect({row["id"]: row for row in rows} == follower.rows, "the changes do not make the table")


def run_round(start, writers, follower, chooser):
    stop = threading.Event()
    with start() as service:
        threads = [guarded(writer.run, service, stop) for writer in writers]
        threads.append(guarded(follower.run, service, lambda: False))
        time.sleep(chooser.uniform(0.1, ROUND_S))
        service.end(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(2 * START_S)
            expect(not thread.is_alive(), "a client hangs")
    if failures:
        raise AssertionError(failures[0])
    with start() as service:
        check(service, writers, follower)
        expect(service.end(signal.SIGTERM) == 0, "the service did not end well")


def main():
    program, page = os.path.abspath(sys.argv[1]), os.path.dirname(os.path.realpath(sys.argv[2]))
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 6
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(2**31)
    print(f"kill_stress: seed {seed}", flush=True)
    end = time.monotonic() + seconds
    rounds = acknowledged = changes = 0
    for encrypted in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "people.db")
            writers = [Writer(f"w{i}", seed + i) for i in range(WRITERS)]
            follower = Follower()
            chooser = random.Random(seed)
            until = time.monotonic() + (end - time.monotonic()) / (1 if encrypted else 2)
            while True:
                run_round(
                    lambda: Service(program, page, file, encrypted), writers, follower, chooser
                )
                rounds += 1
                if time.monotonic() > until:
                    break
            acknowledged += sum(writer.acknowledged for writer in writers)
            changes += follower.last
    print(
        f"kill_stress: killed {rounds} times; {acknowledged} writes acknowledged and there, "
        f"{changes} changes followed"
    )
    expect(acknowledged > 0, "nothing was written")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failure:
        sys.exit(f"kill_stress: {failure}")
