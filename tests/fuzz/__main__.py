"""The whole fuzz: `python -m tests.fuzz [FIRST_SEED]`; the exit code is 1 if there is a fault."""

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.fuzz.driver import Report, fuzz

# Kind -> seeds; `images` damages eight files per seed. The long ones come first.
COUNTS = {"tflite": 800, "models": 600, "runs": 200, "states": 150, "images": 150, "texts": 900}
_COLUMNS = ("mutants", "accepted", "refused", "crashed")


def main() -> None:
    """Read all mutants, two kinds at a time, and print a line per kind."""
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{'kind':8}", *(f"{name:>9}" for name in (*_COLUMNS, "slowest s", "peak MB")))
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(fuzz, kind, first, count) for kind, count in COUNTS.items()]
        reports = []
        for one in as_completed(waiting):
            reports.append(one.result())
            print(_line(reports[-1]), flush=True)
    problems = [problem for report in reports for problem in report.problems()]
    print("\n".join(problems), file=sys.stderr)
    sys.exit(bool(problems))


def _line(report: Report) -> str:
    numbers = (f"{report.found[name]:9,}" for name in _COLUMNS)
    return " ".join(
        (f"{report.kind:8}", *numbers, f"{report.slowest:9.1f}", f"{report.peak / 1e6:9,.0f}")
    )


if __name__ == "__main__":
    main()
