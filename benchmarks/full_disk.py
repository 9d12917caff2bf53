"""Let the disk be full when a step begins, for one step of a tiny run after another; then compare all results.

    sudo python benchmarks/full_disk.py          Linux, as a user who may mount; adds its rows
    sudo python benchmarks/full_disk.py --quick  the first three steps; records nothing

Results and states are on two small disks in memory. Before a step both are made as small as what is on them; the run
must stop with a message that says so. Then they are large again, and the same command must go on.
"""

import argparse
import os
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from record import Figure, add, record_of, show

TINY = ["--configfile", "config/tiny.yaml"]
# A file of each step, in the order of the steps.
TARGETS = (
    "config.json", "rules.dot", "corpus/texts.parquet", "tokenizers/own/summary.json", "statistics/yardsticks.parquet",
    "models/gpt2-tiny/summary.json", "samples/gpt2-tiny.parquet", "classifiers/sentiment/card.json",
    "scores/sentiment/samples.parquet", "scores/sentiment/texts.parquet", "statistics/sample_quality.parquet",
    "statistics/quality.parquet", "manifest.json", "report/quarto.ipynb", "report/report.html", "report/report.pdf",
    "provenance.json",
)  # fmt: skip
# What the last steps need from the second classifier is made without a limit.
UNLIMITED = {"statistics/quality.parquet": ("scores/source/samples.parquet", "scores/source/texts.parquet")}
LARGE = "size=900m"
SAID = ("No space left on device", "free some disk space")
NOT_SAID = ("this is a bug", "Traceback")


def full_disk_figures(place: Path, expected: dict[str, str], targets: tuple[str, ...], notes: dict[str, object]) -> (
    dict[str, Figure]
):  # fmt: skip
    """Fill the disk before each step, then let the step run; return the figures.

    Args:
        place: a clone in which nothing has run.
        expected: name → hash of the results of a run that nothing disturbed; only those that are made are compared.
        targets: a result of each step to disturb.
        notes: gets what was said of each full disk.
    """
    from reproducibility import digests, start

    disks = [place / name for name in ("results", "work")]
    fetched = place / "work" / "downloads"
    aside = shutil.move(fetched, place / "downloads") if fetched.is_dir() else None
    for disk in disks:
        disk.mkdir(exist_ok=True)
        mount("-t", "tmpfs", "-o", LARGE, "samizdat", str(disk))
    if aside:
        shutil.copytree(aside, fetched)
    said: dict[str, str] = {}
    silent, wrong = [], []
    try:
        for target in targets:
            for needed in UNLIMITED.get(target, ()):
                start(place, f"results/tiny/{needed}", *TINY).wait()
            for disk in disks:
                use = os.statvfs(disk)
                mount("-o", f"remount,size={max(1, use.f_blocks - use.f_bfree) * use.f_frsize}", str(disk))
            status = start(place, f"results/tiny/{target}", *TINY).wait()
            for disk in disks:
                mount("-o", f"remount,{LARGE}", str(disk))
            told = (place / "stderr.txt").read_text(encoding="utf-8").replace(f"{sysconfig.get_path('purelib')}/", "")
            named = any(sign in told for sign in SAID) and not any(sign in told for sign in NOT_SAID)
            said[target] = "\n".join(line for line in told.splitlines() if line.startswith(("✗", "  What to do")))
            if not status or not named:
                silent.append(target)
            if start(place, f"results/tiny/{target}", *TINY).wait():
                wrong.append(target)
            print(f"{target}: {'' if named else 'not '}named, status {status}", flush=True)
        found = digests(place, "tiny")
    finally:
        for disk in disks:
            subprocess.run(["umount", str(disk)], check=True)
    wrong += [name for name in found if found[name] != expected.get(name)]
    notes |= {"full_disk_said": said, "full_disk_not_named": silent, "different_after_full_disk": wrong}
    return {
        "full_disks": Figure("steps that found the disk full when they began", len(targets)),
        "full_disks_unnamed": Figure("of these: no message that names the disk, or “a bug”", len(silent), 0, True),
        "full_disks_wrong": Figure("files with other bytes after the same command went on", len(wrong), 0, True),
    }  # fmt: skip


def mount(*arguments: str) -> None:
    """Run `mount`."""
    subprocess.run(["mount", *arguments], check=True)


def main() -> None:
    """Make a tiny run that nothing disturbs and one on full disks, show the figures and add them."""
    from reproducibility import clone, digests, run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--calm", type=Path, help="a clone with a finished tiny run")
    parser.add_argument("--steps", type=int, default=len(TARGETS), help="only the first steps")
    options = parser.parse_args()
    targets = TARGETS[: 3 if options.quick else options.steps]
    notes: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="samizdat-disk-") as name:
        calm = options.calm or clone(Path(name, "calm"))
        if not options.calm:
            run(calm, *TINY)
        figures = full_disk_figures(clone(Path(name, "full")), digests(calm, "tiny"), targets, notes)
    show(figures)
    if not options.quick:
        add("reproducibility", record_of(figures, notes))


if __name__ == "__main__":
    main()
