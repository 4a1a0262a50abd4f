"""What a started service is made of is not looked through for garbage."""

import subprocess
import sys

CODE = """
import gc
from bot.garbage import spare_what_stays

class Loop:
    def __init__(self): self.me = self
    def __del__(self): print("gone")

spare_what_stays()
assert gc.get_freeze_count() > 1000
Loop()
gc.collect()
"""


def test_what_comes_after_the_start_is_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "gone\n"
