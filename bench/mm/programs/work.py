"""Work for the Python interpreter: text, JSON, dictionaries and objects, the same on every run.

Usage: work.py SCALE
"""

import collections
import json
import re
import sys


class Node:
    """A node of an unbalanced binary tree."""

    def __init__(self, key):
        self.key = key
        self.left = None
        self.right = None
        self.notes = []


def numbers(count, seed):
    state = seed
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2147483648
        yield state >> 8


def grow_tree(count):
    root = Node(1 << 22)
    for key in numbers(count, 1):
        node = root
        while True:
            node.notes.append(key)
            if len(node.notes) > 5:
                node.notes = node.notes[3:]
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Node(key))
                break
            node = child
    return sum(root.notes)


def shuffle_records(count):
    records = [
        {"id": i, "name": "record %d" % n, "tags": [str(n % 7), str(n % 11)], "size": n / 3}
        for i, n in enumerate(numbers(count, 2))
    ]
    text = json.dumps(records)
    records = json.loads(text)
    records.sort(key=lambda record: (record["tags"], record["name"]))
    groups = collections.defaultdict(list)
    for record in records:
        groups[tuple(record["tags"])].append(record["id"])
    return len(text) + sum(ids[len(ids) // 2] for ids in groups.values())


def count_words(count):
    words = ["".join(chr(97 + (n >> shift) % 13) for shift in (0, 4, 8, 12)) for n in
             numbers(count, 3)]
    text = " ".join(words)
    found = collections.Counter(re.findall(r"\b[a-f]\w+\b", text))
    changed = re.sub(r"a(\w)", lambda match: match.group(1).upper(), text)
    return sum(found.values()) + len(changed.split("B"))


def main():
    scale = float(sys.argv[1])
    total = 0
    for _ in range(3):
        total += grow_tree(int(25000 * scale))
        total += shuffle_records(int(60000 * scale))
        total += count_words(int(150000 * scale))
    print(total)


main()
