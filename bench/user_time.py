"""How much of a server's time is its own, and not the kernel's.

The kernel's own count is taken by the clock's tick, which finds a server in its own code a dozen
times a second. This one asks perf's software clock to look each millisecond of the server's time
on a processor, and counts how often it was in user space. It needs no counters of the hardware, and
no rights over programs of the same user.
"""

import ctypes
import mmap
import os
import struct

PERIOD_NS = 1_000_000  # A look takes some 16 us in a virtual machine, of which each has its part.

# <linux/perf_event.h>
PERF_EVENT_OPEN = 298  # Of x86-64.
PERF_TYPE_SOFTWARE = 1
PERF_COUNT_SW_CPU_CLOCK = 0
PERF_SAMPLE_IP = 1
EXCLUDE_KERNEL = 1 << 5
EXCLUDE_HYPERVISOR = 1 << 6
PERF_FLAG_FD_CLOEXEC = 8
ATTRIBUTES = "IIQQQQQ"  # type, size, config, period, sample type, read format, flags
ATTRIBUTES_BYTES = 64  # The first version's; the rest of it is 0.
DATA_HEAD = 1024  # The place, in the mapped page, of the count of bytes written.
SAMPLE_BYTES = 16  # A header and an instruction's address.

_libc = ctypes.CDLL(None)


class UserTime:
    """Counts from here on, until the end of the `with` block, the user time of these threads."""

    def __init__(self, threads):
        self.threads = threads
        self.events = []
        self.may = True

    def __enter__(self):
        for thread in self.threads:
            event = self._open(thread)
            if event < 0:
                self.may = False
                break
            # Mapped for reading alone: the kernel overwrites old samples, and goes on counting.
            try:
                memory = mmap.mmap(event, 2 * mmap.PAGESIZE, prot=mmap.PROT_READ)
            except OSError:
                os.close(event)
                self.may = False
                break
            self.events.append((event, memory))
        return self

    def __exit__(self, *_):
        for event, memory in self.events:
            memory.close()
            os.close(event)

    def ns(self):
        """The user time until now, give or take a period for each thread; None if perf may not."""
        if not self.may:
            return None
        samples = 0
        for _, memory in self.events:
            samples += struct.unpack_from("Q", memory, DATA_HEAD)[0] // SAMPLE_BYTES
        return samples * PERIOD_NS

    @staticmethod
    def _open(thread):
        attributes = bytearray(ATTRIBUTES_BYTES)
        struct.pack_into(
            ATTRIBUTES,
            attributes,
            0,
            PERF_TYPE_SOFTWARE,
            ATTRIBUTES_BYTES,
            PERF_COUNT_SW_CPU_CLOCK,
            PERIOD_NS,
            PERF_SAMPLE_IP,
            0,
            EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR,
        )
        buffer = (ctypes.c_char * ATTRIBUTES_BYTES).from_buffer(attributes)
        return _libc.syscall(PERF_EVENT_OPEN, buffer, thread, -1, -1, PERF_FLAG_FD_CLOEXEC)
