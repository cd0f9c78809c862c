"""Memory that is used again in every step stays with the process."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""of malloc.h"""
KEPT = 2**30
"""bytes"""


def keep_freed_memory() -> bool:
    """Have glibc keep freed blocks of up to KEPT bytes, and say whether it will.

    By itself it gives those above 32 MiB, such as a batch of features, back to the system at once. Every step then
    has them mapped and zeroed anew, page by page. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, KEPT) and mallopt(M_TRIM_THRESHOLD, KEPT))
