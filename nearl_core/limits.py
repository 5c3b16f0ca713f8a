"""Limits of a child process that it sets itself."""

import sys
from pathlib import Path


def limit_memory(limit_bytes: int) -> None:
    """Allow so much memory beyond what the process already holds, where the system can (Linux).

    Also: no core dumps, which would write what was read to disk.
    """
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limit = pages * resource.getpagesize() + limit_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
