"""``python -m locales update`` and ``python -m locales check``."""

import sys


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 when ``check`` found something."""
    if arguments == ["update"]:
        from locales.updating import update

        for language, waiting in update().items():
            _say(f"{language}: {waiting} sentences wait for a translation")
        return 0
    if arguments == ["check"]:
        from locales.checking import check

        problems = check()
        for problem in problems:
            _say(problem)
        _say(f"{len(problems)} problems" if problems else "catalogs: complete")
        return 1 if problems else 0
    _say("usage: python -m locales update | check")
    return 2


def _say(line: str) -> None:
    print(line)  # noqa: T201  # a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
