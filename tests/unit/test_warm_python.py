"""A stage that a test starts warm is the same stage: its files, environment, status and end."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from support import warm_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stages start warm on Linux alone")
PROBE = """
import json, os, sys, time
if sys.argv[1:] == ["wait"]:
    print(os.getpid(), flush=True)
    time.sleep(600)
if sys.argv[1:] == ["die"]:
    os.kill(os.getpid(), 9)
if sys.argv[1:] == ["fail"]:
    raise ValueError("a fault")
found = {"environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv[1:], "name": __name__,
         "file": __file__, "executable": sys.executable, "read": sys.stdin.read(), "warm": "torch" in sys.modules}
print(json.dumps(found))
sys.exit(3)
"""


@pytest.fixture
def probe(tmp_path):
    """A function that starts a stage of a made-up package, warm or not."""
    package = tmp_path / "samizdat"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "probe.py").write_text(PROBE, encoding="utf-8")
    usual = {key: value for key, value in os.environ.items() if not key.startswith(("SAMIZDAT_", "HF_"))}
    usual |= {"PYTHONPATH": str(tmp_path)}

    (tmp_path / "Makefile").write_text(f"make:\n\t@{sys.executable} -m samizdat.probe\n", encoding="utf-8")

    def start(*arguments: str, warm: bool = True, **more: str) -> subprocess.Popen:
        environment = (warm_python.variables(usual) if warm else usual) | warm_python.OF_STAGES | more
        program = arguments[:1] in (("make",), ("snakemake",))
        module = () if arguments[:1] == ("-c",) else ("-m", "samizdat.probe")
        return subprocess.Popen(
            arguments if program else [sys.executable, *module, *arguments],
            cwd=tmp_path, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Return its status and what it wrote to both outputs."""
    out, err = process.communicate("a line\n")
    return process.returncode, out, err


@pytest.mark.parametrize("call", [(), ("-c", "from samizdat import probe")], ids=["a module", "a string"])
def test_it_is_called_as_it_would_be_cold(probe, call):
    found = {}
    for warm in (False, True):
        status, out, err = ended(probe(*call, "one", "two words", warm=warm, TORCHINDUCTOR_CACHE_DIR="here"))
        assert (status, err) == (3, "")
        found[warm] = json.loads(out)
        assert found[warm].pop("warm") == warm
        for name in ("PYTHONPATH", "WARM_PYTHON", "WARM_PARENT", "_"):
            found[warm]["environment"].pop(name, None)
    assert found[True] == found[False] and found[True]["read"] == "a line\n"


def test_a_variable_that_libraries_read_when_imported_starts_it_cold(probe):
    for more in ({"OMP_NUM_THREADS": "2"}, {"HF_HUB_OFFLINE": "1"}):
        status, out, _ = ended(probe(**more))
        assert status == 3 and json.loads(out)["warm"] is False


def test_what_make_adds_to_the_environment_doesnt_matter(probe):
    status, out, _ = ended(probe("make", "--no-print-directory", "CONFIG=config/tiny.yaml"))
    assert status == 2 and json.loads(out)["warm"] is True


def test_a_stage_is_warm_with_what_snakemake_adds_to_its_environment(probe, tmp_path):
    line = "OMP_NUM_THREADS=1; exec python -m samizdat.probe > found.json < /dev/null"
    rule = f"rule probe:\n    output: 'found.json'\n    shell: 'set +e; export {line}'\n"
    (tmp_path / "Snakefile").write_text(rule, encoding="utf-8")
    process = probe("snakemake", "--cores", "1", "--keep-incomplete")
    assert ended(process)[0] == 1  # the stage ends with 3
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["warm"] is True


def test_an_error_is_told_with_a_status(probe):
    status, out, err = ended(probe("fail"))
    assert (status, out) == (1, "") and "Traceback" in err and err.endswith("ValueError: a fault\n")


def test_a_fork_that_is_killed_takes_its_caller_with_it_and_nothing_runs_again(probe):
    assert ended(probe("die")) == (-signal.SIGKILL, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_the_fork_too(probe, number):
    process = probe("wait")
    fork = int(process.stdout.readline())
    assert fork != process.pid
    process.send_signal(number)
    assert process.wait() != 0
    deadline = time.monotonic() + 600
    while os.path.exists(f"/proc/{fork}") and time.monotonic() < deadline:  # noqa: PTH110 - a process, no file
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{fork}")  # noqa: PTH110
