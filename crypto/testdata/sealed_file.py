#!/usr/bin/env -S python3 -B
"""Seals files by SEALED_FILE.md alone, with other code than ours, for the tests to compare with.

  sealed_file.py vectors > sealed_file.txt
  sealed_file.py corpus FOLDER

The ciphers are of the Python package "cryptography", which nothing else needs; HKDF and scrypt are
hashlib's.
"""

import hashlib
import hmac
import os
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

CIPHERS = {1: AESGCM, 2: ChaCha20Poly1305}
KEY, PASSWORD = 1, 2


def plaintext(size):
    return bytes((i * 31 + (i >> 8)) & 0xFF for i in range(size))


def hkdf(secret, salt, info, size):
    """RFC 5869 with SHA-256."""
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    out, block = b"", b""
    while len(out) < size:
        block = hmac.new(key, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:size]


def seal(chunks, secret, salt, algorithm=1, chunk_log2=10, source=KEY, cost=(0, 0, 0)):
    """The file of these chunks, of which the last is marked."""
    head = b"\x89Sealed\n" + bytes([1, algorithm, chunk_log2, source, *cost, 0]) + salt
    assert len(head) == 48
    master = secret
    if source == PASSWORD:
        log2_n, r, p = cost
        master = hashlib.scrypt(secret, salt=salt, n=1 << log2_n, r=r, p=p, dklen=32)
    derived = hkdf(master, salt, b"strata sealed file v1" + head, 71)
    cipher, commitment, prefix = CIPHERS[algorithm](derived[:32]), derived[32:64], derived[64:]
    out = head + commitment
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        nonce = prefix + number.to_bytes(4, "big") + bytes([last])
        out += cipher.encrypt(nonce, chunk, b"")
    return out


def cut(text, chunk_log2):
    step = 1 << chunk_log2
    return [text[at : at + step] for at in range(0, len(text), step)] or [b""]


SECRET = bytes(range(32))
SALT = hashlib.sha256(b"salt").digest()
WORD = b"correct horse"
SMALL_COST = (4, 8, 1)
ENOUGH_COST = (14, 8, 1)


def vector(size, algorithm=1, chunk_log2=10, source=KEY, cost=(0, 0, 0)):
    chunks = cut(plaintext(size), chunk_log2)
    secret = SECRET if source == KEY else WORD
    return seal(chunks, secret, SALT, algorithm, chunk_log2, source, cost)


def print_vector(size, algorithm, chunk_log2, source, cost=(0, 0, 0)):
    sealed = vector(size, algorithm, chunk_log2, source, cost)
    print(f"size = {size}\nalgorithm = {algorithm}\nchunk_log2 = {chunk_log2}")
    if source == KEY:
        print(f"key = {SECRET.hex()}")
    else:
        print(f"password = {WORD.decode()}\nlog2_n = {cost[0]}\nr = {cost[1]}\np = {cost[2]}")
    print(f"salt = {SALT.hex()}")
    print(f"sha256 = {hashlib.sha256(sealed).hexdigest()}")
    if len(sealed) < 4096:
        print(f"sealed = {sealed.hex()}")
    print()


def print_vectors():
    print("# Sealed files, made by sealed_file.py from SEALED_FILE.md. Byte i of the plaintext is")
    print("# the low byte of i * 31 + i / 256.\n")
    for algorithm in CIPHERS:
        for size in (0, 1, 1023, 1024, 1025, 2048, 2500):
            print_vector(size, algorithm, 10, KEY)
        print_vector(200_000, algorithm, 16, KEY)
        print_vector(1500, algorithm, 10, PASSWORD, ENOUGH_COST)
    print("# An empty chunk behind a full one: well sealed, and not the form of any file.\n")
    wrong = seal([plaintext(1024), b""], SECRET, SALT)
    print(f"key = {SECRET.hex()}\nsealed = {wrong.hex()}")


def write_corpus(folder):
    files = {
        "empty": vector(0),
        "one_chunk": vector(100),
        "full_chunk": vector(1024),
        "three_chunks": vector(2100),
        "chacha20": vector(1100, algorithm=2),
        "password": vector(50, source=PASSWORD, cost=SMALL_COST),
        "password_too_costly": vector(0)[:11] + bytes([PASSWORD, 24, 64, 64]) + vector(0)[15:],
        "newer_version": vector(0)[:8] + bytes([2]) + vector(0)[9:],
        "truncated": vector(2100)[:1600],
    }
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


if sys.argv[1:] == ["vectors"]:
    print_vectors()
elif len(sys.argv) == 3 and sys.argv[1] == "corpus":
    write_corpus(sys.argv[2])
else:
    sys.exit(__doc__)
