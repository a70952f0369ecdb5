#!/usr/bin/env python3
"""Walks the paths of libstrata_mm.so through its disassembly, and compares what they cost with a
golden file:

    fast_paths.py LIBRARY GOLDEN            # a diff and exit status 1 where they differ
    fast_paths.py LIBRARY GOLDEN --update   # writes the golden file

A path is an entry point and, in their order, the targets of the branches that it takes; it takes no
other. Direct calls and jumps are followed, to the return from the entry point.

Counted are instructions; loads and stores, where what changes memory is both, and of the stack only
push and pop count; branches, which are conditional jumps; locked operations, to which xchg with
memory belongs without saying so; and calls.
"""

import argparse
import difflib
import pathlib
import re
import subprocess
import sys

# The path without restartable sequences, for a tiny class: a shelf is locked at the first try.
LOCKED_SHELF = ["find_shelf.got", "find_shelf.known"]
LOCKED_REFILL = ["have_arena.none", "smm_refill.locked", "tiny", "tiny"]
LOCKED_OVERFLOW = ["smm_overflow", "smm_overflow.free", "have_arena.none", "smm_overflow.locked",
                   "tiny"]
LOCKED_MALLOC = ["smm_refill"] + LOCKED_REFILL + LOCKED_SHELF
LOCKED_PUSH = ["smm_overflow.push", "smm_overflow.link", "smm_overflow.unlock"]
LOCKED_FREE = LOCKED_OVERFLOW + LOCKED_SHELF + LOCKED_PUSH
HELD_SHELF = ["find_shelf.busy", "find_shelf.next"]
ALL_SHELVES_HELD = 7 * HELD_SHELF + ["find_shelf.busy", "find_shelf.known"]

# Name, entry point, branches taken, whether the instructions are listed. A macro's own label is
# given by its last part, for the assembler numbers what is before.
PATHS = [
    # By a processor's arena.
    ("malloc", "malloc", [], True),
    ("free", "free", [], True),
    ("calloc, 48 bytes", "calloc", [], True),
    ("realloc, in place", "realloc", ["smm_realloc.keep"], True),
    ("realloc, moves 48 bytes", "realloc", ["smm_realloc.move"], False),
    ("operator new", "_Znwm", [], True),
    ("memalign, to 64", "memalign", ["smm_memalign.ready", "smm_memalign.found"], False),
    ("malloc, takes the spare list", "malloc", ["smm_refill"], False),
    ("free, makes a full list the spare", "free",
     ["smm_overflow", "smm_overflow.free", "smm_overflow.done"], False),
    # By the shelves, without restartable sequences.
    ("locked malloc", "malloc", LOCKED_MALLOC, False),
    ("locked free", "free", LOCKED_FREE, False),
    ("locked calloc, 48 bytes", "calloc", ["empty"] + LOCKED_REFILL + LOCKED_SHELF, False),
    ("locked realloc, moves 48 bytes", "realloc",
     ["smm_realloc.move"] + LOCKED_MALLOC + LOCKED_FREE, False),
    ("locked malloc, one shelf held", "malloc",
     ["smm_refill"] + LOCKED_REFILL + HELD_SHELF + LOCKED_SHELF, False),
    ("locked free, into a bin", "free", LOCKED_OVERFLOW + ALL_SHELVES_HELD + ["smm_overflow.bin"],
     False),
]

WRITES_ONLY = re.compile(r"(v?mov|set|pop)")
READS_ONLY = re.compile(r"(cmp$|test|bt$|push|mul|div|prefetch)")
UNCOUNTED = re.compile(r"(lea|nop|call|jmp|ret)")
STEPS_MAX = 2000


class Instruction:

    def __init__(self, prefix, mnemonic, operands, after):
        self.mnemonic = mnemonic
        self.operands = operands
        self.after = after  # The next one's address.
        first, _, rest = operands.partition(",")
        to_memory = "[" in first
        from_memory = "[" in rest
        counted = not UNCOUNTED.match(mnemonic)
        self.load = counted and (from_memory or mnemonic == "pop" or
                                 (to_memory and not WRITES_ONLY.match(mnemonic)))
        self.store = counted and ((to_memory and not READS_ONLY.match(mnemonic)) or
                                  mnemonic == "push" or (mnemonic == "xchg" and from_memory))
        self.locked = prefix == "lock" or (mnemonic == "xchg" and (to_memory or from_memory))
        self.branch = mnemonic.startswith("j") and mnemonic != "jmp"
        self.call = mnemonic == "call"
        self.text = " ".join(filter(None, [prefix, mnemonic, operands]))

    def target(self):
        found = re.match(r"([0-9a-f]+) <", self.operands)
        if found is None:
            raise SystemExit(f"'{self.text}' leaves the path for what only run time knows")
        return int(found[1], 16)


def disassemble(library):
    """Instructions by address."""
    # Not -d: it takes some of the assembler's labels for those of data.
    command = ["objdump", "-D", "-j", ".text", "-M", "intel", "--no-show-raw-insn", library]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = []
    for line in text.splitlines():
        found = re.match(r"\s*([0-9a-f]+):\s+(?:(lock|rep|bnd) )?(\S+)\s*(.*)", line)
        if found:
            lines.append((int(found[1], 16), found[2], found[3], found[4].strip()))
    code = {}
    for (at, prefix, mnemonic, operands), following in zip(lines, lines[1:]):
        named = re.match(r"(.*?)\[rip\+0x[0-9a-f]+\](.*?)\s+# [0-9a-f]+ <(.+)>$", operands)
        if named:
            operands = f"{named[1]}[{named[3]}]{named[2]}"
        code[at] = Instruction(prefix or "", mnemonic, operands, following[0])
    return code


def symbols_of(library):
    """Names by address, and addresses by name."""
    text = subprocess.run(["nm", library], check=True, capture_output=True, text=True).stdout
    names = {}
    addresses = {}
    for line in text.splitlines():
        found = re.match(r"([0-9a-f]+) [tT] (\S+)$", line)
        if found:
            names.setdefault(int(found[1], 16), []).append(found[2])
            addresses[found[2]] = int(found[1], 16)
    return names, addresses


def is_named(name, wanted):
    return name == wanted or (name.startswith("..@") and name.endswith("." + wanted))


def walk(code, names, start, taken):
    """The instructions of a path."""
    path = []
    taken = list(taken)
    returns = []
    at = start
    while len(path) < STEPS_MAX:
        instruction = code[at]
        path.append(instruction)
        at = instruction.after
        if instruction.mnemonic == "ret":
            if not returns:
                if taken:
                    raise SystemExit(f"no branch to {taken[0]}, in this order, on the way")
                return path
            at = returns.pop()
        elif instruction.call:
            returns.append(at)
            at = instruction.target()
        elif instruction.mnemonic == "jmp":
            at = instruction.target()
        elif instruction.branch and taken:
            target = instruction.target()
            if any(is_named(name, taken[0]) for name in names.get(target, [])):
                del taken[0]
                at = target
    raise SystemExit("a path without an end")


def listing(instruction):
    """An instruction without what moves when anything else changes."""
    text = re.sub(r"^(\S+) [0-9a-f]+ <(.+)>$", r"\1 \2", instruction.text)
    return re.sub(r"\.\.@[0-9]+\.", "", text)


def describe(library):
    code = disassemble(library)
    names, addresses = symbols_of(library)
    table = [f"{'path':<34} instructions loads stores branches locked calls"]
    lists = []
    for name, entry, taken, listed in PATHS:
        try:
            path = walk(code, names, addresses[entry], taken)
        except SystemExit as error:
            raise SystemExit(f"{name}: {error}")
        table.append(f"{name:<34} {len(path):>12} {sum(i.load for i in path):>5} "
                     f"{sum(i.store for i in path):>6} {sum(i.branch for i in path):>8} "
                     f"{sum(i.locked for i in path):>6} {sum(i.call for i in path):>5}")
        if listed:
            lists += ["", f"{name}:"] + ["    " + listing(i) for i in path]
    return "\n".join(table + lists) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    found = describe(options.library)
    if options.update:
        options.golden.write_text(found)
        return
    golden = options.golden.read_text()
    if found == golden:
        return
    sys.stdout.writelines(difflib.unified_diff(golden.splitlines(True), found.splitlines(True),
                                               "mm/fast_paths.golden", "the library"))
    raise SystemExit("The fast paths have changed. If that is meant, write them down again:\n"
                     "    bazel build //mm:libstrata_mm.so && mm/testing/fast_paths.py "
                     "bazel-bin/mm/libstrata_mm.so mm/fast_paths.golden --update")


if __name__ == "__main__":
    main()
