"""How long `--help` takes against a two-command typer app's, both in one run.

python benchmarks/help_time.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15
PLAIN = """
import typer
app = typer.Typer()

@app.command()
def one(name: str = "x") -> None:
    "First."

@app.command()
def two(name: str = "x") -> None:
    "Second."

app()
"""


def seconds(command: list[str]) -> float:
    """Wall time of one run of a command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Run the three commands in turn and print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.py"
        plain.write_text(PLAIN, encoding="utf-8")
        bin_dir = Path(sys.executable).parent
        commands = {
            "two-command typer app": [sys.executable, str(plain), "--help"],
            "relevance": [str(bin_dir / "relevance"), "--help"],
            "hmnet": [str(bin_dir / "hmnet"), "--help"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(RUNS + 1):
            for name, command in commands.items():
                taken = seconds(command)
                if run:  # the first round warms the file cache
                    times[name].append(taken)
    base = statistics.median(times["two-command typer app"])
    for name, taken_s in times.items():
        median = statistics.median(taken_s)
        print(f"{name:24s} {1000 * median:6.0f} ms  {median / base:5.2f} x")


if __name__ == "__main__":
    main()
