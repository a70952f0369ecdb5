#!/usr/bin/env -S python3 -B
"""Seals headers of encrypted databases by DESIGN.md alone, with other code than ours.

  encrypted_header.py FOLDER

The key is the bytes 0 to 31, the password "correct horse", and the keys of the file are made of 1
and of 2. The cipher is of the Python package "cryptography", which nothing else needs.
"""

import hashlib
import hmac
import os
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY = bytes(range(32))
PASSWORD = b"correct horse"


def hkdf(secret, salt, info, size):
    """RFC 5869 with SHA-256."""
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    out, block = b"", b""
    while len(out) < size:
        block = hmac.new(key, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:size]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def slot(source, cost=(0, 0, 0), keys=1, cipher=1, page_bytes=4096, version=1):
    salt, file_id, nonce = b"salt" * 4, b"identity" * 2, b"nonce" + bytes(7)
    if source == 1:
        root = hashlib.scrypt(PASSWORD, salt=salt, n=1 << cost[0], r=cost[1], p=cost[2], dklen=32)
    elif source == 2:
        root = hashlib.pbkdf2_hmac("sha256", PASSWORD, salt, cost[0], 32)
    else:
        root = KEY
    secrets = hkdf(root, salt, b"strata orm header v1", 64)
    head = b"Strata database\0"
    head += struct.pack("<IIBBH3I", version, page_bytes, cipher, source, 0, *cost)
    head += salt + file_id + struct.pack("<QII", 1, keys, keys) + secrets[32:]
    assert len(head) == 120
    texts = b"".join(bytes([i + 1]) * 32 if i < keys else bytes(32) for i in range(2))
    sealed = head + nonce + AESGCM(secrets[:32]).encrypt(nonce, texts, head)
    return sealed + struct.pack("<I", crc32c(sealed))


def main():
    # A header that asks for hours and gigabytes: only its CRC is made anew.
    greedy = slot(0)[:25] + b"\x01" + slot(0)[26:28] + struct.pack("<3I", 24, 64, 64)
    greedy += slot(0)[40:212]
    files = {
        "key": slot(0),
        "two_keys": slot(0, keys=2),
        "ctr": slot(0, cipher=2, page_bytes=512),
        "scrypt": slot(1, cost=(4, 1, 1)),
        "scrypt_above_the_limit": greedy + struct.pack("<I", crc32c(greedy)),
        "pbkdf2": slot(2, cost=(10, 0, 0)),
        "newer": slot(0, version=2),
        "page_of_a_gigabyte": slot(0, page_bytes=1 << 30),
    }
    for name, content in files.items():
        assert len(content) == 216
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(content)


main()
