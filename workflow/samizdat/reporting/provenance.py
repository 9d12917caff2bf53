"""Show how the report was made: config, versions, hashes, and which step follows which."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from samizdat.base.language import message, plural, said_raw, say
from samizdat.base.wording import dotted, json_words
from samizdat.reporting.run import Run
from samizdat.reporting.style import FAINT, INK, WIDTH_INCHES, Picture, drawing, wrapped
from samizdat.reporting.words import Prose, Table, code, table

LONGEST_VALUE_CHARACTERS = 300
LETTER_INCHES = 0.066  # how wide a letter of 8 points is in the rule graph
# The names of the rules, as words.
STEPS = (
    message("import corpus"),
    message("fetch package"),
    message("detect languages"),
    message("make tokenizer"),
    message("train model"),
    message("look inside"),
    message("round weights"),
    message("generate samples"),
    message("finetune classifier"),
    message("import classifier"),
    message("prepare few shot"),
    message("measure examples"),
    message("score texts"),
    message("compute statistics"),
    message("judge samples"),
    message("measure yardsticks"),
    message("compare with raters"),
    message("draw rules"),
    message("write config"),
    message("write manifest"),
    message("write provenance"),
    message("execute report"),
    message("render report"),
    message("render pdf"),
    message("write play"),
)

# A node of the graph: a rule, or a place that an edge between two rules (tail, head) takes in a layer that it passes.
Node = str | tuple[str, str, int]


def opening(run: Run) -> Prose:
    """Name the run, its code, Python version and random seed, and how to check it."""
    manifest = run.manifest
    if manifest.commit == "unknown":
        commit = say("code outside version control")
    else:
        clean, edited = message("commit {commit}"), message("commit {commit}, with changes that are in no commit")
        commit = say(clean if manifest.clean else edited, commit=code(manifest.commit[:12]))
    made = say(
        "The run {run} was made by Samizdat {version} ({commit}) with Python {python} and the master seed {seed}.",
        run=code(manifest.run),
        version=manifest.versions.get("samizdat", ""),
        commit=commit,
        python=manifest.python,
        seed=manifest.config["seed"],
    )
    read = plural(
        "Every number above was read from {count}\u00a0file, whose hash is listed below.",
        "Every number above was read from {count}\u00a0files, whose hashes are listed below.",
        len(manifest.artefacts),
    )
    check = say(
        "**Check it:** {command}, called in the project's folder, makes the run again from its config, inputs and "
        "code, and says for each file whether its bytes are the same. Somebody else gives the run's bundle in place "
        "of the folder: {with_bundle}.",
        command=code(f"make verify RUN=results/{manifest.run}"),
        with_bundle=code(f"RUN={manifest.run}.zip"),
    )
    return Prose(f"{made} {read} {check}")


def settings(run: Run) -> Table:
    """List every key of the config and its value."""
    rows = [[code(key), code(json_words(value, LONGEST_VALUE_CHARACTERS))] for key, value in dotted(run.config)]
    return table(rows, [say("Key"), say("Value")])


def versions(run: Run) -> Table:
    """List the versions of Python and of the packages that can change a result."""
    rows = [[code(package), code(version)] for package, version in sorted(run.manifest.versions.items())]
    return table([["Python", code(run.manifest.python)], *rows], [say("Package"), say("Version")])


def hashes(run: Run) -> Table:
    """List the files that the report was made from, without the notes, which are in the report itself."""
    rows = [[code(path), code(sha256)] for path, sha256 in sorted(run.manifest.artefacts.items())]
    given = {path: value for path, value in run.manifest.inputs.items() if path != run.config["notes"]}
    rows += [[code(path), code(sha256)] for path, sha256 in sorted(given.items())]
    return table(rows, [say("File"), "SHA-256"])


def rule_graph(run: Run) -> Picture | Prose:
    """Draw which step follows which, in layers; an arrow that other arrows imply is left out."""
    edges = _reduced({(tail, head) for tail, head in run.manifest.rules if head != "all"})
    if not edges:
        return Prose(say("The rule graph of this run was not recorded."))
    layers = layered(edges)
    title = plural(
        "{count} step leads from the texts to the page",
        "{count} steps lead from the texts to the page",
        len({name for edge in edges for name in edge}),
    )
    with drawing(title, 0.1 + 0.52 * len(layers)) as (picture, [axis]):
        axis.set_axis_off()
        widest = max(len(layer) for layer in layers)
        places = {
            node: (number + 0.5 + (widest - len(layer)) / 2, -depth)
            for depth, layer in enumerate(layers)
            for number, node in enumerate(layer)
        }
        half_width, half_height = min(0.46, 0.15 * widest), 0.24
        letters = int(2 * half_width / widest * WIDTH_INCHES / LETTER_INCHES)
        for tail, head in sorted(edges):
            _arrow(axis, [places[node] for node in _way(tail, head, layers)], half_height)
        for node, place in places.items():
            if isinstance(node, str):
                _box(axis, _words(node), place, half_width, half_height, letters)
        axis.set_xlim(0, widest)
        axis.set_ylim(-len(layers) + 0.5, 0.5)
        named = (", ".join(_words(node) for node in layer if isinstance(node, str)) for layer in layers)
        order = say("In order: {steps}.", steps=say("; then ").join(named))
        picture.alternative_text = f"{title}. {order}"
    return picture


def _words(rule: str) -> str:
    """Write the name of a rule as words: `train_model` is "train model", `train_model_x` is "train model: x".

    One that doesn't begin as one of STEPS stays English.
    """
    for step in STEPS:
        begin = step.replace(" ", "_")
        if rule == begin or rule.startswith(f"{begin}_"):
            name = rule[len(begin) + 1 :]
            return f"{said_raw(step)}: {name}" if name else said_raw(step)
    return rule.replace("_", " ")


def _arrow(axis: Axes, way: list[tuple[float, float]], half_height: float) -> None:
    """Draw an arrow from the box at the first place to the box at the last, through the places between."""
    points = [(way[0][0], way[0][1] - half_height), *way[1:-1], (way[-1][0], way[-1][1] + half_height)]
    axis.plot(*zip(*points, strict=True), color=FAINT, linewidth=0.9, zorder=1, solid_joinstyle="round")
    axis.annotate(
        "", points[-1], points[-2], zorder=1,
        arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def _box(
    axis: Axes, words: str, place: tuple[float, float], half_width: float, half_height: float, letters: int
) -> None:
    """Draw a box with words around a place; more words than one line has room for are smaller, in two lines."""
    x, y = place
    axis.add_patch(
        FancyBboxPatch(
            (x - half_width, y - half_height), 2 * half_width, 2 * half_height, zorder=2, facecolor="#eef1f4",
            boxstyle="round,pad=0,rounding_size=0.06", edgecolor=FAINT, linewidth=0.8,
        )
    )  # fmt: skip
    size = 8.0 if len(words) <= letters else 6.5
    said = wrapped(words, int(letters * 8 / size), 2)
    axis.text(x, y, said, ha="center", va="center", fontsize=size, linespacing=1, color=INK, zorder=3)


def _way(tail: str, head: str, layers: list[list[Node]]) -> list[Node]:
    """List a rule, the places that its edge keeps free in the layers between, and the next rule."""
    return [tail, *(node for layer in layers for node in layer if node[:2] == (tail, head)), head]


def _reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the transitive reduction of an acyclic graph: without edges that a longer path implies."""
    after: dict[str, set[str]] = {}
    for tail, head in edges:
        after.setdefault(tail, set()).add(head)

    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(after.get(start, ()))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += after.get(name, ())
        return found

    return {
        (tail, head)
        for tail, head in edges
        if not any(head in reachable(middle) for middle in after[tail] if middle != head)
    }


def layered(edges: set[tuple[str, str]]) -> list[list[Node]]:
    """Sort the rules into layers by the length of the longest path to them.

    A layer is ordered by the mean place of each node's predecessors, so that few edges cross. An edge that passes
    a layer keeps a place free there: (tail, head, layer).
    """
    names = {name for edge in edges for name in edge}
    before: dict[Node, list[Node]] = {name: sorted(tail for tail, head in edges if head == name) for name in names}
    depth: dict[Node, int] = {}
    while len(depth) < len(names):  # Snakemake refuses cycles, so this ends
        ready = sorted(name for name in names - depth.keys() if all(tail in depth for tail in before[name]))
        depth |= {name: 1 + max((depth[tail] for tail in before[name]), default=-1) for name in ready}
    for tail, head in sorted(edges):
        previous: Node = tail
        for level in range(depth[tail] + 1, depth[head]):
            passing = (tail, head, level)
            before[passing], depth[passing], previous = [previous], level, passing
        before[head] = [previous if node == tail else node for node in before[head]]
    layers: list[list[Node]] = []
    for level in range(max(depth.values()) + 1):
        place = {node: number / len(layer) for layer in layers for number, node in enumerate(layer)}
        means = {
            node: sum(place[tail] for tail in before[node]) / max(len(before[node]), 1)
            for node, found in depth.items()
            if found == level
        }
        layers.append(sorted(means, key=lambda node: (means[node], str(node))))
    return layers
