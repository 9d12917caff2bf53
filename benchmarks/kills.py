"""Kill the training stage at random moments, resume it, and check that the finished model has the same bytes.

    make bench-kills                     20 kills
    python benchmarks/kills.py --quick   three; records nothing

The model is the tiny run's, compiled, trained for longer, with a state saved every few steps.
"""

import argparse
import hashlib
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from record import ROOT, Figure, show, write
from stage import command, environment, settings_of


def main() -> None:
    """Train once undisturbed; then train, kill and resume as often as wanted; compare and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=ROOT / "results" / "demo", help="where a vocabulary `own` is")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    kills = 3 if options.quick else 20
    settings = settings_of("tiny.yaml", epochs=0.4, dropout=0.1, evaluations=12, resume_every_seconds=0.2, compile=True)
    tokenizer = options.run / "tokenizers" / "own"
    instants = random.Random(20)
    with tempfile.TemporaryDirectory(prefix="samizdat-kills-") as name:
        root = Path(name)

        def start(folder: str) -> subprocess.Popen[bytes]:
            words = command(settings, tokenizer, root / folder, device="cpu", threads=1, seed=2014)
            return subprocess.Popen(words, env=environment(root / "compiled"), stderr=subprocess.DEVNULL)

        for folder in ("compiling", "whole"):  # the second, like all later ones, finds the compiled kernels
            begun = time.monotonic()
            if start(folder).wait():
                raise SystemExit("the run that nobody kills failed")
            whole_seconds = time.monotonic() - begun
        expected = digest(root / "whole" / "out")
        same, at, resumed = 0, [], 0
        while len(at) < kills:
            process = start("killed")
            wait = instants.uniform(0.0, whole_seconds)
            try:
                process.wait(wait)
                shutil.rmtree(root / "killed")
                continue  # it had ended before: no kill
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            at.append(wait)
            state = (root / "killed" / "work" / "state.safetensors").is_file()
            resumed += state
            if start("killed").wait():
                raise SystemExit(f"the run that was killed after {wait:.1f} s did not go on")
            equal = digest(root / "killed" / "out") == expected
            same += equal
            print(f"{len(at)}: killed after {wait:.1f} s, {'a' if state else 'no'} state there: "
                  f"{'the same' if equal else 'OTHER'} bits", flush=True)  # fmt: skip
            shutil.rmtree(root / "killed")
    figures = {
        "kills": Figure("kills (SIGKILL) at random instants", kills),
        "kills_with_state": Figure("of them with a state on the disk to go on from", resumed),
        "same_bits": Figure("share of them that ended with the same files as the run that nobody killed",
                            same / kills, 1.0),
    }  # fmt: skip
    show(figures)
    if not options.quick:
        write("kills", figures, {"whole_seconds": whole_seconds, "killed_after_seconds": at, "sha256": expected})
    if same < kills:
        raise SystemExit(1)


def digest(folder: Path) -> str:
    """Hash all files of a model: weights, log, summary and intermediate checkpoints."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    main()
