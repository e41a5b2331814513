"""Every figure of docs/performance.md, one JSON line each, printed and written to benchmarks/results.jsonl.

python -m benchmarks [autocomplete] [imitation] [job] [services]
"""

import subprocess
import sys
from pathlib import Path

_ALL = ("autocomplete", "imitation", "job", "services")
_RESULTS = Path(__file__).parent / "results.jsonl"


def main(names: list[str]) -> int:
    """Run the benchmarks one after the other, each in a process of its own."""
    lines: list[str] = []
    for name in names or list(_ALL):
        if name not in _ALL:
            print(f"There is no benchmark {name}: choose from {', '.join(_ALL)}.", file=sys.stderr)
            return 2
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            return done.returncode
        print(done.stdout, end="", flush=True)
        lines += done.stdout.splitlines()
    if not names:
        _RESULTS.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
