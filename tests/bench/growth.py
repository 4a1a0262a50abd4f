"""How much memory a measured stretch takes at its highest, in MiB, as the kernel counts it."""

import gc
import re
from pathlib import Path

_STATUS = Path("/proc/self/status")


def begin_to_watch() -> float:
    """Memory now; from here on :func:`highest` remembers the most there was."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _memory("VmRSS")


def highest() -> float:
    return _memory("VmHWM")


def _memory(name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+)", _STATUS.read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
