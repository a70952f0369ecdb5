#!/usr/bin/python3 -B
"""A browser's WebSocket talks to the echo server: headless Chromium.

  browser_test.py ECHO_SERVER PAGE

Serves the page, which connects to the echo server, and waits for it to tell how that went.
"""

import http.server
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading

PATIENCE_S = 100


class Site(http.server.ThreadingHTTPServer):
    """The page, and what it has told."""

    def __init__(self, page):
        super().__init__(("127.0.0.1", 0), Handler)
        self.page = page
        self.told = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):

    def do_GET(self):
        self._answer(self.server.page)

    def do_POST(self):
        told = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(b"")
        self.server.told.put(told)

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def browse(url, folder):
    """Starts the browser. It leads a group of processes, which all end by end()."""
    return subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        + ["--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=open(os.path.join(folder, "errors"), "w", encoding="utf-8"),
        env={**os.environ, "HOME": folder},
        start_new_session=True,
    )


def end(browser):
    os.killpg(browser.pid, signal.SIGTERM)
    try:
        browser.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def run(echo_server, page, *arguments):
    """What the page has told of an echo server with these arguments."""
    server = subprocess.Popen([echo_server, *arguments], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().rsplit(":", 1)[1].strip()
    with Site(page) as site, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        browser = browse(f"http://127.0.0.1:{site.server_port}/?{port}", folder)
        try:
            told = site.told.get(timeout=PATIENCE_S)
        except queue.Empty:
            with open(os.path.join(folder, "errors"), encoding="utf-8") as errors:
                told = f"nothing: {browser.poll()}\n{errors.read()}"
        end(browser)
        site.shutdown()
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    return told


def main():
    echo_server, page_path = sys.argv[1:]
    with open(page_path, "rb") as file:
        page = file.read()
    told = run(echo_server, page, "--deflate", "--threads=2")
    assert told == "all is well, with permessage-deflate", told
    told = run(echo_server, page)
    assert told == "all is well, without extensions", told


main()
