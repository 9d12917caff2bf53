"""The house keeps its shape: rooms and floors, rules and stages, what may be heavy, what no file may hold.

All of it is read from the folders and the rules; the only list is that of the floors.
"""

import ast
import functools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from samizdat.base.digest import imported_siblings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workflow" / "samizdat"
# A module imports from its own room and from the floors below it. Rooms on one floor don't know each other.
FLOORS = (
    {"base"},
    {"records", "measures", "checkpoints", "optimization", "environment"},
    {"corpus", "models", "samples", "classifiers", "statistics", "reporting", "publishing", "runs"},
    {"doctor", "labels", "comparison"},
    {"commands"},
    {"cli"},
)
LIGHT_ROOMS = {"base", "records", "reporting"}
HEAVY = {"torch", "transformers", "datasets"}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}
ROOMS = {name.split(".")[0] for name in MODULES}


def rules() -> dict[str, tuple[set[str], set[str]]]:
    """Rule → the stages that it starts, and those whose digest it keeps, as `room.module`."""
    found = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        # A rule's text begins behind its name, or behind `rule:` where a loop makes several.
        blocks = re.split(r"^\s*rule ?(\w*):$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name, text in zip(blocks[1::2], blocks[2::2], strict=True):
            name = name or re.search(r'name:\s+f"(\w+)_\{name\}"', text).group(1)
            started = re.findall(r"python -m samizdat\.([a-z0-9_]+\.[a-z0-9_]+)", text)
            found[name] = (set(started), set(re.findall(r'code_digest\("([a-z0-9_]+\.[a-z0-9_]+)"\)', text)))
    return found


RULES = rules()
STAGES = sorted(set().union(*(digests for _, digests in RULES.values())))


@functools.cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@functools.cache
def imports(module: str) -> set[str]:
    """The modules of the package that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "samizdat":
            base = (node.module or "").removeprefix("samizdat").lstrip(".")
            names = {f"{base}.{alias.name}".lstrip(".") for alias in node.names}
            found |= names & MODULES.keys() or {base} & MODULES.keys()
    return found


def imports_of_imports(module: str) -> set[str]:
    found: set[str] = set()
    waiting = set(imports(module))
    while waiting:
        found |= waiting
        waiting = set().union(*(imports(name) for name in waiting)) - found
    return found


def floor_of(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if module.split(".")[0] in rooms)


def test_every_room_is_on_a_floor():
    assert set.union(*FLOORS) == ROOMS


@pytest.mark.parametrize("module", MODULES)
def test_no_import_climbs_and_rooms_of_one_floor_do_not_know_each_other(module):
    room = module.split(".")[0]
    others = {name for name in imports(module) if name.split(".")[0] != room}
    assert not {name for name in others if floor_of(name) >= floor_of(module)}


@pytest.mark.parametrize("module", MODULES)
def test_no_imports_go_in_a_circle(module):
    assert module not in imports_of_imports(module)


@pytest.mark.parametrize("module", MODULES)
def test_a_stage_is_imported_by_nobody(module):
    assert not imports(module) & set(STAGES)


@pytest.mark.parametrize("rule", [name for name, (started, digests) in RULES.items() if started | digests])
def test_a_rule_its_module_and_its_function_have_one_name(rule):
    started, digests = RULES[rule]
    (stage,) = digests  # what an edit of the stage reruns
    assert started <= {stage}, "a rule keeps the digest of what it starts"
    assert stage.split(".")[1] == rule
    tree = tree_of(stage)
    assert rule in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert ast.unparse(tree.body[-1]).endswith(f"stage.run({rule})"), "`python -m` runs the function of that name"


def test_every_module_that_can_be_started_as_a_stage_has_a_rule():
    programs = {name for name, path in MODULES.items() if "stage.run(" in path.read_text(encoding="utf-8")}
    assert programs - {"base.stage"} == set(STAGES)


@pytest.mark.parametrize("module", [name for name in MODULES if name.split(".")[0] in LIGHT_ROOMS])
def test_the_rooms_that_the_snakefile_and_the_report_import_are_light(module):
    heavy = {}
    for name in imported_siblings(module):
        top = [node for node in tree_of(name).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
        heavy[name] = {name.split(".")[0] for name in names} & HEAVY
    assert not {name: found for name, found in heavy.items() if found}


@pytest.mark.parametrize("room", sorted(name for name in ROOMS if (PACKAGE / name).is_dir() and name != "reporting"))
def test_a_rooms_init_is_one_docstring(room):
    # The digest of a stage follows the modules that it names; code in the folder's own file would escape it.
    tree = tree_of(room)
    assert ast.get_docstring(tree) and len(tree.body) == 1


@pytest.mark.parametrize("room", sorted(name for name in ROOMS if (PACKAGE / name).is_dir()))
def test_a_rooms_init_names_the_rooms_that_it_imports(room):
    own = [name for name in MODULES if name.split(".")[0] == room]
    imported = {name.split(".")[0] for module in own for name in imports(module)} - {room}
    assert set(re.findall(r"`(\w+)`", ast.get_docstring(tree_of(room)))) & ROOMS - {room} == imported


def test_every_test_of_a_room_is_in_the_rooms_folder():
    folders = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders <= ROOMS


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def test_modules_and_rules_files_are_read_in_one_sitting():
    limits = {".py": 300, ".smk": 180}
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked_files()
        if (limit := limits.get(path.suffix))
        and "tests" not in path.parts
        and (lines := path.read_text(encoding="utf-8").count("\n")) > limit
    }
    assert not long


LONGEST_FUNCTION_LINES = 60


@pytest.mark.parametrize("module", MODULES)
def test_a_function_is_no_longer_than_a_page_or_says_why(module):
    """Docstrings apart; a comment `# long: <reason>` behind the `def` line is the reason."""
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            length = node.end_lineno - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
            head = lines[node.lineno - 1 : node.body[0].lineno - 1]
            reason = any(re.search(r"# long: \w", line) for line in head)
            assert length <= LONGEST_FUNCTION_LINES or reason, f"{node.name}: {length} lines"


def test_the_locks_hold_every_dependency_and_torch_stays_out():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        "lock.txt": project["dependencies"],
        "lock-development.txt": project["optional-dependencies"]["dev"],
        "uv.txt": ["uv"],
    }
    for file, packages in wanted.items():
        text = (ROOT / "envs" / file).read_text(encoding="utf-8")
        locked = set(re.findall(r"^([a-z0-9._-]+)==", text, re.M))
        assert {re.match(r"[\w.-]+", package).group() for package in packages} - locked <= {"torch"}, file
        assert not re.search(r"https?://|--index-url|file:", text), "no lock names a host"


def test_the_oldest_python_is_one_number():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    major, minor = project["requires-python"].removeprefix(">=").split(".")
    assert f"sys.version_info < ({major}, {minor})" in (ROOT / "Makefile").read_text(encoding="utf-8")
