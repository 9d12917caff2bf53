"""Damage the files of a finished tiny run, and see that nothing damaged is believed and all is made again.

    python benchmarks/damage.py                  300 flips in each kind of file, ten plain reruns, thirty kills
    python benchmarks/damage.py --quick          ten flips, one rerun, two kills; records nothing

Flips are answered by the code that reads a file of this kind at the start of a run or of a step, one flip at a time,
without a rerun. Reruns are whole: before each, many files are flipped, cut, emptied and deleted at once, results and
what is kept in `work/`; then the plain command runs, and all results are compared. `make bench-reproducibility`
includes it.
"""

import argparse
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr
from pathlib import Path

from record import Figure, add, record_of, show

from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, is_checksum
from samizdat.base.reuse import restore_result
from samizdat.classifiers.score_store import ScoreStore
from samizdat.publishing import execution
from samizdat.publishing.notebook import make_notebook
from samizdat.runs.damage import damaged

DAMAGES = ("flipped", "cut", "emptied", "deleted")
TINY = ["--configfile", "config/tiny.yaml"]
# Locks are empty, and dates in the provenance are never the same.
LEFT_OUT = ("lock", "provenance.json")
BY_HAND = ("this is a bug", "Traceback", "delete ")
IMPORT_SECONDS = 1.5
PINS = Path("envs/archives.txt")
SHARE_DAMAGED = 0.25  # of the results, before a rerun


def kinds_of(place: Path) -> dict[str, list[Path]]:
    """Sort the files of a run into kinds: one for each name in results/, work/ and the store, whatever the item."""
    kinds: dict[str, list[Path]] = {}
    for folder in ("results/tiny", "work/tiny", "work/scores", "work/downloads"):
        for path in sorted((place / folder).rglob("*")):
            if path.is_file() and path.stat().st_size and path.name not in LEFT_OUT and ".edited." not in path.name:
                top = path.relative_to(place / folder).parts[0] if folder.endswith("tiny") else ""
                name = "checksum" if is_checksum(path) else path.name if folder != "work/scores" else "segment"
                name = path.suffix if "typst" in path.parts else name
                kinds.setdefault(f"{folder}/{top}:{name}", []).append(path)
    return kinds


def flip(path: Path, luck: random.Random) -> Callable[[], None]:
    """Flip one bit of a file where it lies; return what flips it back."""
    place, bit = luck.randrange(path.stat().st_size), 1 << luck.randrange(8)

    def change() -> None:
        with path.open("r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ bit]))

    change()
    return change


def flip_figures(place: Path, flips: int, notes: dict[str, object]) -> dict[str, Figure]:
    """Flip single bits of each kind of file, and ask what reads it whether the file is what was written.

    Args:
        place: a clone in which the tiny run is finished.
        flips: how many in each kind.
        notes: gets the number of flips of each kind, those that were believed, and the kinds that nothing reads.
    """
    luck, asked, believed, unread = random.Random(26), {}, [], []
    with chdir(place), Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        for kind, paths in kinds_of(Path()).items():
            readers = {path: reader for path in paths if (reader := reader_of(path))}
            if not readers:
                unread.append(kind)
                continue
            for _ in range(flips):
                path = luck.choice(list(readers))
                back, whole = flip(path, luck), readers[path]
                if whole():
                    believed.append(path.as_posix())
                if path.is_file():  # a damaged segment is deleted when it is read
                    back()
                else:
                    shutil.copyfile(BACKUP / path.name, path)
            asked[kind] = flips
    notes |= {"flips_of_each_kind": asked, "flips_believed": believed, "kinds_without_a_check": unread}
    return {
        "flip_kinds": Figure("kinds of files below results/ and work/ in which single bits were flipped", len(asked)),
        "flips": Figure("flipped bits, each shown to what reads the file", sum(asked.values())),
        "flips_believed": Figure("of these: taken for what was written", len(believed), 0, True),
        "unread_kinds": Figure("kinds of files that have no such check (the reruns cover them)", len(unread)),
    }


BACKUP = Path(tempfile.gettempdir(), f"samizdat-segments-{os.getpid()}")


def reader_of(path: Path) -> Callable[[], bool] | None:
    """Return what says whether a file is believed, as the step that reads it does; None: no step checks it alone."""
    if path.parts[0] == "results":
        return (lambda: not damaged([path.as_posix()], [], PINS)) if not is_checksum(path) else None
    if "downloads" in path.parts:
        return (lambda: not damaged([], [path.as_posix()], PINS)) if not is_checksum(path) else None
    if "scores" in path.parts[:2]:
        return _segment_reader(path)
    if "finished" in path.parts or path.name == "finished.json":
        work = next(folder for folder in path.parents if (folder / "finished.json").is_file())
        mark = json.loads((work / "finished.json").read_text(encoding="utf-8"))["fingerprint"]
        return lambda: restore_result(work, mark, BACKUP / "out")
    if "executed" in path.parts and path.suffix in (".ipynb", ".db"):
        return _execution_reader(path)
    if (path.parent / f".{path.name}.sha256").is_file():
        return lambda: _readable(path)
    return None


def _readable(path: Path) -> bool:
    try:
        checked_bytes(path)
    except UserError:
        return False
    return True


def _segment_reader(path: Path) -> Callable[[], bool]:
    """Read the whole store of a segment: nothing may come out that did not come out of the undamaged one."""
    BACKUP.mkdir(exist_ok=True)
    shutil.copyfile(path, BACKUP / path.name)
    folder = path.parent
    cards = Path("results/tiny/classifiers").glob("*/card.json")
    counts = [len(json.loads(card.read_text(encoding="utf-8"))["labels"]) for card in cards]
    # A row is a hash, a number of windows, and the scores.
    fits = [all(part.stat().st_size % (36 + 4 * count) == 0 for part in folder.iterdir()) for count in counts]
    labels = counts[fits.index(True)]

    def scores() -> set[bytes]:
        store = ScoreStore(folder.parent, folder.name, labels)
        return {row.tobytes() for rows in store.known() for row in rows}

    expected = scores()
    return lambda: not scores() <= expected or path.is_file()


def _execution_reader(path: Path) -> Callable[[], bool]:
    """Ask for the kept execution: none, or the one that was kept."""
    notebook = make_notebook(Path("report/index.qmd"), Path("report/notes.md"), Path("results/tiny"))
    kept = Path("work/tiny/report/executed")
    expected = execution._kept(kept, notebook)
    if expected is None:
        raise SystemExit("the execution of the tiny run was not kept")
    return lambda: execution._kept(kept, notebook) not in (None, expected)


def damaged_figures(place: Path, expected: dict[str, str], rounds: int, notes: dict[str, object]) -> dict[str, Figure]:
    """Damage many files of a finished tiny run, let the plain command run, and compare; return the figures.

    Args:
        place: a clone in which the tiny run is finished.
        expected: name → hash of its results.
        rounds: how many reruns there are.
        notes: gets what went wrong, and what was damaged then.
    """
    from reproducibility import differing, digests, start

    luck, wrong, words, done = random.Random(26), [], [], list[list[str]]()
    for number in range(rounds):
        harmed = []
        for kind, paths in kinds_of(place).items():
            # Every kind in work/ is damaged, and every second rerun makes all results again, so that work/ is read.
            if not kind.startswith("results/") or (number % 2 and luck.random() < SHARE_DAMAGED):
                path, how = luck.choice(paths), luck.choice(DAMAGES)
                harm(path, how, luck)
                harmed.append([path.relative_to(place).as_posix(), how])
        if number % 2 == 0:
            shutil.rmtree(place / "results" / "tiny")
        status = start(place, *TINY).wait()
        said = (place / "stderr.txt").read_text(encoding="utf-8")
        if status or any(sign in said for sign in BY_HAND):
            words.append([harmed, said[-3000:]])
        if different := differing(expected, digests(place, "tiny")):
            wrong.append([harmed, different])
        done += harmed
        print(f"{number + 1}: {len(harmed)} files: {'wrong' if different or status else 'mended'}", flush=True)
    notes |= {"other_bytes_after_damage": wrong, "by_hand_after_damage": words}
    return {
        "damage_rounds": Figure("plain reruns after many files were damaged at once", rounds),
        "damage_files": Figure("files flipped, cut, emptied or deleted before them", len(done)),
        "damage_wrong": Figure("reruns that end with other bytes", len(wrong), 0, True),
        "damage_by_hand": Figure(
            "reruns that fail, say “this is a bug”, or name a file to delete", len(words), 0, True
        ),
    }


def harm(path: Path, how: str, luck: random.Random) -> None:
    """Damage a file: flip one bit, cut its end off, empty or delete it."""
    if how == "flipped":
        flip(path, luck)
    elif how == "deleted":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size * 2 // 3 if how == "cut" else 0)


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
        "import_kills": Figure("kills of Snakemake while a step begins", kills),
        "orphans": Figure("steps that outlive it", orphans, 0, True),
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
    """Make a tiny run in a clone, damage it, show the figures and add them to those of reproducibility."""
    from reproducibility import clone, digests, run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--flips", type=int, default=300, help="in each kind of file; 0: leave this out")
    parser.add_argument("--rounds", type=int, default=10, help="plain reruns; 0: leave this out")
    parser.add_argument("--kills", type=int, default=30, help="while a step begins; 0: leave this out")
    parser.add_argument("--place", type=Path, help="a clone with a finished tiny run, for another part of the figures")
    options = parser.parse_args()
    flips, rounds, kills = (10, 1, 2) if options.quick else (options.flips, options.rounds, options.kills)
    notes: dict[str, object] = {}
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="samizdat-damage-") as name:
        place = options.place or clone(Path(name, "place"))
        run(place, *TINY)
        if flips:
            figures |= flip_figures(place, flips, notes)
        if rounds:
            figures |= damaged_figures(place, digests(place, "tiny"), rounds, notes)
        if kills:
            figures |= orphan_figures(place, kills)
    shutil.rmtree(BACKUP, ignore_errors=True)
    show(figures)
    print(json.dumps({key: value for key, value in notes.items() if "believed" in key or "after" in key}, indent=1))
    if not options.quick:
        add("reproducibility", record_of(figures, notes))


if __name__ == "__main__":
    main()
