"""Damage one file of a finished tiny run after another, run the plain command, and compare all results.

Each round takes another kind of file and another kind of damage: a flipped bit, a cut, an emptied, a deleted file. Run
alone with `--rounds N --kills N`; `make bench-reproducibility` includes it.
"""

import argparse
import os
import random
import shutil
import signal
import tempfile
import time
from itertools import cycle
from pathlib import Path

from record import Figure, show

from samizdat.base.files import is_checksum

DAMAGES = ("flipped", "flipped", "cut", "emptied", "deleted")
TINY = ["--configfile", "config/tiny.yaml"]
# Snakemake's own records and locks hold nothing of a result.
LEFT_OUT = ("lock", "provenance.json")
BY_HAND = ("this is a bug", "Traceback", "delete ")
IMPORT_SECONDS = 1.5


def damaged_figures(place: Path, expected: dict[str, str], rounds: int, notes: dict[str, object]) -> dict[str, Figure]:
    """Damage and repair a finished tiny run; return the figures.

    Args:
        place: a clone in which the tiny run is finished.
        expected: name → hash of its results.
        rounds: how many files are damaged, one after the other.
        notes: gets what was damaged, and what went wrong.
    """
    from reproducibility import differing, digests, start

    luck, wrong, words, done = random.Random(26), [], [], []
    kinds = kinds_of(place)
    for number, kind in zip(range(rounds), cycle(sorted(kinds)), strict=False):
        path, how = luck.choice(kinds[kind]), DAMAGES[number % len(DAMAGES)]
        if not path.is_file():
            kinds[kind] = kinds_of(place).get(kind, kinds[kind])
            path = luck.choice(kinds[kind])
        harm(path, how, luck)
        name = path.relative_to(place).as_posix()
        status = start(place, *TINY).wait()
        said = (place / "stderr.txt").read_text(encoding="utf-8")
        if status or any(sign in said for sign in BY_HAND):
            words.append([name, how, said[-1000:]])
        if different := differing(expected, digests(place, "tiny")):
            wrong.append([name, how, different])
        done.append([name, how])
        print(f"{number + 1}: {name} {how}: {'wrong' if different or status else 'mended'}", flush=True)
    notes |= {"damaged": done, "other_bytes_after_damage": wrong, "by_hand_after_damage": words}
    return {
        "damage_kinds": Figure("kinds of files below results/ and work/ that were damaged", float(len(kinds))),
        "damage_rounds": Figure("files flipped, cut, emptied or deleted, one after the other", float(len(done))),
        "damage_wrong": Figure("of these: other bytes at the end of a plain rerun", float(len(wrong)), 0, True),
        "damage_by_hand": Figure(
            "of these: a failed run, “this is a bug”, or a file to delete", float(len(words)), 0, True
        ),
    }


def kinds_of(place: Path) -> dict[str, list[Path]]:
    """Sort the files of a run into kinds: one for each name in results/, work/ and the store, whatever the item."""
    kinds: dict[str, list[Path]] = {}
    for folder in ("results/tiny", "work/tiny", "work/scores", "work/downloads"):
        for path in sorted((place / folder).rglob("*")):
            if path.is_file() and path.name not in LEFT_OUT and ".edited." not in path.name:
                top = path.relative_to(place / folder).parts[0] if folder.endswith("tiny") else ""
                name = "checksum" if is_checksum(path) else path.name if folder != "work/scores" else "segment"
                kinds.setdefault(f"{folder}/{top}:{name}", []).append(path)
    return kinds


def harm(path: Path, how: str, luck: random.Random) -> None:
    """Damage a file: flip one bit, cut its end off, empty or delete it."""
    content = bytearray(path.read_bytes())
    if how == "deleted":
        path.unlink()
    elif how == "flipped" and content:
        content[luck.randrange(len(content))] ^= 1 << luck.randrange(8)
        path.write_bytes(content)
    else:
        path.write_bytes(content[: len(content) * 2 // 3] if how == "cut" else b"")


def orphan_figures(place: Path, kills: int) -> dict[str, Figure]:
    """Kill Snakemake while a step imports its libraries; count the steps that live on."""
    from reproducibility import start

    luck, orphans = random.Random(27), 0
    for _ in range(kills):
        shutil.rmtree(place / "results", ignore_errors=True)
        shutil.rmtree(place / "work" / "tiny", ignore_errors=True)
        process = start(place, *TINY)
        while not steps_in(place) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(luck.uniform(0, IMPORT_SECONDS))
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1)
        left = steps_in(place)
        orphans += len(left)
        for number in left:
            os.kill(number, signal.SIGKILL)
    return {
        "import_kills": Figure("kills of Snakemake while a step begins", float(kills)),
        "orphans": Figure("steps that outlive it", float(orphans), 0, True),
    }


def steps_in(place: Path) -> list[int]:
    """Return the numbers of the steps that run in a clone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == place and b"samizdat." in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def main() -> None:
    """Make a tiny run in a clone, damage it, and show the figures."""
    from reproducibility import clone, digests, run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    notes: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="samizdat-damage-") as name:
        place = clone(Path(name, "place"))
        run(place, *TINY)
        expected = digests(place, "tiny")
        figures = damaged_figures(place, expected, options.rounds, notes)
        figures |= orphan_figures(place, options.kills)
    show(figures)
    print(notes["other_bytes_after_damage"], notes["by_hand_after_damage"], sep="\n")


if __name__ == "__main__":
    main()
