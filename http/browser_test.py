#!/usr/bin/python3 -B
"""A browser uses a site, by HTTP and by HTTPS: headless Chromium.

  browser_test.py BROWSER_SERVER PAGE

The page tells how that went, and the access log how the browser has asked.
"""

import base64
import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import wave

PATIENCE_S = 100


def make_site(folder, page):
    """The page, a text, and fifty seconds of silence: all that the page asks for."""
    shutil.copy(page, os.path.join(folder, "index.html"))
    with open(os.path.join(folder, "words.txt"), "w", encoding="ascii") as file:
        file.write("word " * 40_000)
    with wave.open(os.path.join(folder, "tone.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes(50 * 44_100 * 4))


def make_identity(folder):
    """A certificate of its own and its key."""
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return certificate, key


def hash_of_key(certificate):
    """By which the browser is told to trust it: that of the public key."""
    key = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-pubkey"],
        check=True,
        capture_output=True,
    ).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], check=True, capture_output=True, input=key
    ).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def browse(url, trusted, told):
    """What the page tells."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with open(os.path.join(folder, "errors"), "w+", encoding="utf-8") as errors:
            # It leads a group of processes, which all end with it.
            browser = subprocess.Popen(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu"]
                + ["--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
                # What comes with another error of the certificate is not kept in its cache.
                + [f"--ignore-certificate-errors-spki-list={trusted}"]
                + [f"--user-data-dir={folder}", url],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "HOME": folder},
                start_new_session=True,
            )
            try:
                return told.get(timeout=PATIENCE_S)
            except queue.Empty:
                errors.seek(0)
                return f"nothing: {browser.poll()}\n{errors.read()}"
            finally:
                os.killpg(browser.pid, signal.SIGTERM)
                try:
                    browser.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    os.killpg(browser.pid, signal.SIGKILL)
                    browser.wait()


def read_log(path):
    """How often each path was answered with each status."""
    counts = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            key = record["target"], record["status"]
            counts[key] = counts.get(key, 0) + 1
    return counts


def main():
    program, page = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        site, log = os.path.join(folder, "site"), os.path.join(folder, "log")
        os.mkdir(site)
        make_site(site, page)
        certificate, key = make_identity(folder)
        server = subprocess.Popen(
            [program, site, log, certificate, key], stdout=subprocess.PIPE, text=True
        )
        urls = [server.stdout.readline().strip() for _ in range(2)]
        told = queue.Queue()
        threading.Thread(
            target=lambda: [told.put(line.strip()) for line in server.stdout], daemon=True
        ).start()
        for url in urls:
            said = browse(url + "/", hash_of_key(certificate), told)
            assert said == "all is well", f"{url}: {said}"
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        counts = read_log(log)
    assert counts["/words.txt", 304] == 2, counts
    # Three ranges by fetch(), of which one is beyond the end, and the player's.
    assert counts["/tone.wav", 206] >= 2 * 4 and counts["/tone.wav", 416] == 2, counts
    assert counts["/form", 200] == 2 and counts["/events", 200] >= 2 * 2, counts


main()
