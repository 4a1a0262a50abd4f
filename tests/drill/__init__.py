"""The fire drill: the real service under kills, cuts and floods, against what it promises.

`python -m tests.drill --help`; described in `docs/drill.md`. A scenario is a file of its own; the
grounds it takes place on are `ground.py`, what is compared is in `oracle.py`.
"""
