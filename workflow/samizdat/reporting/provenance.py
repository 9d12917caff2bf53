"""How the report was made: config, versions, hashes, and which step follows which."""

from matplotlib.patches import FancyBboxPatch

from samizdat.base.wording import dotted, json_words
from samizdat.reporting.run import Run
from samizdat.reporting.style import FAINT, INK, Picture, drawing, wrapped
from samizdat.reporting.words import Prose, Table, code, counted, table

LONGEST_VALUE_CHARACTERS = 300

# A rule, or a place in a layer that an edge from one rule to another passes.
Node = str | tuple[str, str, int]


def opening(run: Run) -> Prose:
    """The run's name, code and machine-independent circumstances."""
    manifest = run.manifest
    state = "" if manifest.clean else ", with changes that are in no commit"
    commit = (
        f"commit {code(manifest.commit[:12])}{state}"
        if manifest.commit != "unknown"
        else "code outside version control"
    )
    return Prose(
        f"The run {code(manifest.run)} was made by Samizdat {manifest.versions.get('samizdat', '')} ({commit}) with "
        f"Python {manifest.python} and the master seed {manifest.config['seed']}. "
        f"Every number above was read from {counted(len(manifest.artefacts), 'file')}, whose hashes stand below. "
        f"**Check me:** {code(f'make verify RUN=results/{manifest.run}')}, typed where the run lies, makes "
        "it again from its config, inputs and code, and says of each file whether the same bytes come out."
    )


def settings(run: Run) -> Table:
    """Every key of the config and its value."""
    rows = [[code(key), code(json_words(value, LONGEST_VALUE_CHARACTERS))] for key, value in dotted(run.config)]
    return table(rows, ["Key", "Value"])


def versions(run: Run) -> Table:
    """The packages that can change a result."""
    rows = [[code(package), code(version)] for package, version in sorted(run.manifest.versions.items())]
    return table([["Python", code(run.manifest.python)], *rows], ["Package", "Version"])


def hashes(run: Run) -> Table:
    """The files that the report was made from. The user's words are in the report itself."""
    rows = [[code(path), code(sha256)] for path, sha256 in sorted(run.manifest.artefacts.items())]
    given = {path: value for path, value in run.manifest.inputs.items() if path != run.config["notes"]}
    rows += [[code(path), code(sha256)] for path, sha256 in sorted(given.items())]
    return table(rows, ["File", "SHA-256"])


def rule_graph(run: Run) -> Picture | Prose:
    """Which step follows which, in layers; an arrow that others imply is left out."""
    edges = _reduced({(tail, head) for tail, head in run.manifest.rules if head != "all"})
    if not edges:
        return Prose("The rule graph of this run was not recorded.")
    layers = layered(edges)
    title = f"{len({name for edge in edges for name in edge})} steps lead from the texts to the page"
    with drawing(title, 0.4 + 0.52 * len(layers)) as (picture, [axis]):
        axis.set_axis_off()
        widest = max(len(layer) for layer in layers)
        places = {
            node: (number + 0.5 + (widest - len(layer)) / 2, -depth)
            for depth, layer in enumerate(layers)
            for number, node in enumerate(layer)
        }
        half_width, half_height = min(0.46, 0.15 * widest), 0.24
        for tail, head in sorted(edges):
            way = [places[node] for node in _way(tail, head, layers)]
            points = [(way[0][0], way[0][1] - half_height), *way[1:-1], (way[-1][0], way[-1][1] + half_height)]
            axis.plot(*zip(*points, strict=True), color=FAINT, linewidth=0.9, zorder=1, solid_joinstyle="round")
            axis.annotate(
                "", points[-1], points[-2], zorder=1,
                arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
            )  # fmt: skip
        named = {node: place for node, place in places.items() if isinstance(node, str)}
        for node, (x, y) in named.items():
            axis.add_patch(
                FancyBboxPatch(
                    (x - half_width, y - half_height),
                    2 * half_width,
                    2 * half_height,
                    zorder=2,
                    facecolor="#eef1f4",
                    boxstyle="round,pad=0,rounding_size=0.06",
                    edgecolor=FAINT,
                    linewidth=0.8,
                )
            )
            axis.text(
                x, y, wrapped(node.replace("_", " "), 26), ha="center", va="center", fontsize=8, color=INK, zorder=3
            )
        axis.set_xlim(0, widest)
        axis.set_ylim(-len(layers) + 0.5, 0.5)
        order = "; then ".join(
            ", ".join(node.replace("_", " ") for node in layer if isinstance(node, str)) for layer in layers
        )
        picture.alternative_text = f"{title}. In order: {order}."
    return picture


def _way(tail: str, head: str, layers: list[list[Node]]) -> list[Node]:
    """A rule, the places that the edge keeps free in the layers between, and the next rule."""
    return [tail, *(node for layer in layers for node in layer if node[:2] == (tail, head)), head]


def _reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The transitive reduction of an acyclic graph: no edge that a longer way makes already."""
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
    """Rules by the length of the longest way to them, each layer ordered by where its predecessors stand.

    An edge that passes a layer keeps a place free there: (tail, head, depth).
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
