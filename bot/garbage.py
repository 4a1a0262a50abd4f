"""Python's search for garbage, kept off what stays for as long as the service runs."""

import gc
from typing import Final

# Python's own 700 are a handful of updates: most of what it finds then is still in use.
_YOUNG: Final = 10_000
_OLDER: Final = (20, 50)


def spare_what_stays() -> None:
    """To be called once everything is started.

    Modules, models and catalogs, half a million objects that never go, would be looked through
    time and again, each time for a tenth of a second in which nobody is answered.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, *_OLDER)
