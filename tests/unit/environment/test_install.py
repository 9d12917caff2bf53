"""The environment of a project: made once, repaired when it was interrupted, moved, copied, or lost its Python."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.environment import install, installer
from support.wheels import write_installed, write_wheel

PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "samizdat"
version = "0.0.1"
license = "MIT"
dependencies = ["torch==2.13.0"]

[tool.setuptools.packages.find]
where = ["workflow"]
"""


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A folder of wheels as the only place that an installer finds packages in."""
    wheels = tmp_path_factory.mktemp("wheels")
    with pytest.MonkeyPatch.context() as patch:
        for key in [key for key in os.environ if key.startswith(("PIP_", "UV_"))]:
            patch.delenv(key)
        patch.setenv("PIP_NO_COMPILE", "1")  # nobody imports most of these modules
        for key, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": str(wheels)}.items():
            patch.setenv(key, value)
        yield wheels


@pytest.fixture(scope="module")
def made(offline, tmp_path_factory) -> Path:
    """A project with its environment; tests change copies of it, or change it and put it back."""
    root = tmp_path_factory.mktemp("projects") / "first"
    (root / "workflow" / "samizdat").mkdir(parents=True)
    (root / "workflow" / "samizdat" / "__init__.py").write_text("", encoding="utf-8")
    (root / "envs").mkdir()
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    for name, line in {
        "lock.txt": write_wheel(offline, "needed", "1.0") + write_installed(offline, "setuptools"),
        "lock-development.txt": write_wheel(offline, "for_tests", "1.0"),
        "uv.txt": "uv==0.0.0 --hash=sha256:" + "0" * 64,
    }.items():
        (root / "envs" / name).write_text(line, encoding="utf-8")
    assert not install.fits(root, development=False, system_torch=True)
    install.repair(root, development=False, system_torch=True)
    return root


@pytest.fixture
def copied(made, tmp_path) -> Path:
    """A copy of the project, environment included, in a folder with an odd name."""
    return Path(shutil.copytree(made, tmp_path / "two words, č", symlinks=True))


def repaired(root: Path) -> None:
    assert not install.fits(root, development=False, system_torch=True)
    install.repair(root, development=False, system_torch=True)
    assert install.fits(root, development=False, system_torch=True)


def files_of(root: Path, *modules: str) -> list[str]:
    ask = f"import {', '.join(modules)}; print(*({', '.join(f'{name}.__file__' for name in modules)},), sep='\\n')"
    command = [root / ".venv" / "bin" / "python", "-c", ask]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def without_packages(monkeypatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")


def test_it_has_the_lock_this_package_and_the_torch_of_the_system(made):
    assert install.fits(made, development=False, system_torch=True)
    assert not install.fits(made, development=True, system_torch=True)
    assert not install.fits(made, development=False, system_torch=False)
    own, package, torch = files_of(made, "needed", "samizdat", "torch")
    assert own.startswith(str(made / ".venv")) and package.startswith(str(made / "workflow"))
    assert torch.startswith(str(Path(sys.prefix).resolve()))


def test_a_copy_runs_its_own_code_and_downloads_nothing(copied, monkeypatch, capfd):
    assert files_of(copied, "samizdat")[0].startswith(str(copied))
    without_packages(monkeypatch)
    repaired(copied)
    assert "Repairing .venv, which was moved or copied" in capfd.readouterr().out
    assert all(file.startswith(str(copied)) for file in files_of(copied, "needed", "samizdat"))
    command = ["bash", "-c", 'source .venv/bin/activate && echo "$VIRTUAL_ENV"']
    activated = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=True).stdout
    assert activated == f"{copied}/.venv\n"


def test_an_interrupted_installation_is_done_again(copied, capfd):
    (copied / ".venv" / "ready").unlink()
    shutil.rmtree(next((copied / ".venv" / "lib").glob("python*/site-packages/needed-1.0.dist-info")))
    repaired(copied)
    assert "Installing into .venv" in capfd.readouterr().out


def test_an_environment_that_lost_this_package_gets_it_back(copied):
    for file in (copied / ".venv").glob("lib/python*/site-packages/*samizdat*"):
        file.unlink() if file.is_file() else shutil.rmtree(file)
    repaired(copied)
    files_of(copied, "samizdat")


def test_an_environment_whose_python_is_gone_is_made_anew(copied):
    for python in (copied / ".venv" / "bin").glob("python*"):
        python.unlink()
        python.symlink_to("/no/such/python")
    repaired(copied)
    files_of(copied, "needed", "samizdat")


def test_an_environment_of_the_python_before_an_upgrade_of_the_system_is_made_anew(copied):
    """Its `bin/python` is a link to the system's, which is newer now; its packages are those of the old one."""
    (library,) = (copied / ".venv" / "lib").glob("python*")
    library.rename(library.with_name("python3.9"))
    stamp = copied / ".venv" / "ready"
    stamp.write_text(json.dumps(json.loads(stamp.read_text("utf-8")) | {"python": [3, 9]}), encoding="utf-8")
    repaired(copied)
    assert [folder.name for folder in (copied / ".venv" / "lib").iterdir()] == [library.name]
    files_of(copied, "needed", "samizdat")


def test_another_lock_is_installed(copied, offline):
    install.repair(copied, development=False, system_torch=True)
    lock = copied / "envs" / "lock.txt"
    newer = write_wheel(offline, "needed", "2.0")
    lock.write_text(newer + lock.read_text(encoding="utf-8").partition("\n")[2], encoding="utf-8")
    repaired(copied)
    assert list((copied / ".venv" / "lib").glob("python*/site-packages/needed-2.0.dist-info"))


def test_packages_for_tests_come_later_and_do_no_harm(copied):
    install.repair(copied, development=True, system_torch=True)
    files_of(copied, "needed", "for_tests")
    assert install.fits(copied, development=True, system_torch=True)
    assert install.fits(copied, development=False, system_torch=True)


def test_settings_of_a_tool_change_nothing(made):
    project = made / "pyproject.toml"
    before = project.read_text(encoding="utf-8")
    try:
        project.write_text(f"{before}\n[tool.ruff]\nline-length = 99\n", encoding="utf-8")
        assert install.fits(made, development=False, system_torch=True)
    finally:
        project.write_text(before, encoding="utf-8")


def test_the_uv_of_the_environment_counts_before_one_of_the_user(copied, tmp_path, monkeypatch):
    (copied / ".venv" / "ready").unlink()
    (copied / ".venv" / "bin" / "uv").symlink_to(shutil.which("uv"))
    old = tmp_path / "old" / "uv"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho \"error: unexpected argument '--torch-backend' found\"\nexit 2\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    repaired(copied)


def test_uv_writes_bytecode_where_python_may_not(copied, offline, monkeypatch):
    packages = next((copied / ".venv" / "lib").glob("python*/site-packages"))
    lock = copied / "envs" / "lock.txt"
    for name, may_not_write in {"first": "", "second": "1"}.items():
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", may_not_write)
        lock.write_text(lock.read_text(encoding="utf-8") + write_wheel(offline, name, "1.0"), encoding="utf-8")
        repaired(copied)
        assert packages.joinpath(f"{name}.py").exists()
        assert any(packages.glob(f"__pycache__/{name}.*.pyc")) == bool(may_not_write)


def test_pip_alone_installs_into_the_environment_also_where_it_is_told_to_use_the_home_folder(
    copied, tmp_path, monkeypatch
):
    (copied / ".venv" / "ready").unlink()
    shutil.rmtree(next((copied / ".venv" / "lib").glob("python*/site-packages/needed-1.0.dist-info")))
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    repaired(copied)
    files_of(copied, "needed", "samizdat")


def test_a_lock_that_cannot_be_had_is_told_and_leaves_nothing_that_fits(copied, monkeypatch):
    (copied / ".venv" / "ready").unlink()
    shutil.rmtree(next((copied / ".venv" / "lib").glob("python*/site-packages/needed-1.0.dist-info")))
    without_packages(monkeypatch)
    with pytest.raises(UserError, match="installing the packages of the lock"):
        install.repair(copied, development=False, system_torch=True)
    assert not install.fits(copied, development=False, system_torch=True)


def install_command(root: Path) -> list[str]:
    """Give a project the code of the installer; return the command that starts it."""
    package = root / "workflow" / "samizdat"
    shutil.rmtree(package)
    shutil.copytree(Path(install.__file__).parents[1], package, ignore=shutil.ignore_patterns("__pycache__"))
    return [sys.executable, "-m", "samizdat.environment.install", "--torch", "system"]


def test_two_installations_at_once_are_one(copied):
    command, environment = install_command(copied), os.environ | {"PYTHONPATH": str(copied / "workflow")}
    shutil.rmtree(copied / ".venv")
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert sum("Installing into .venv" in one for one in said) == 1, said
    assert "Waiting for another installation into .venv" in "".join(said)
    assert install.fits(copied, development=False, system_torch=True)


def test_what_an_installer_says_is_shown_in_any_encoding(copied):
    command = install_command(copied)
    (copied / ".venv" / "ready").unlink()
    uv = copied / ".venv" / "bin" / "uv"
    uv.write_text("#!/bin/sh\necho ' ╰─▶ 407 Proxy Authentication Required'\nexit 2\n", encoding="utf-8")
    uv.chmod(0o755)
    environment = os.environ | {"PYTHONPATH": str(copied / "workflow"), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and " ??? 407" in done.stdout and "the proxy refused" in done.stderr, done.stderr


def test_a_damaged_note_is_no_installation(copied):
    for text in ("", "[]", json.dumps({"python": "3"})):
        (copied / ".venv" / "ready").write_text(text, encoding="utf-8")
        assert not install.fits(copied, development=False, system_torch=True)


def test_a_full_disk_is_told_before_anything_is_installed(copied, monkeypatch):
    (copied / ".venv" / "ready").unlink()
    monkeypatch.setattr(install, "free_bytes", lambda folder: 10**8)
    with pytest.raises(UserError, match=r"takes up to 2\.4 GB in .*, where 0\.1 GB are free"):
        install.repair(copied, development=False, system_torch=True)


@pytest.mark.parametrize(("folder", "message"), [("a: b", "has ':' in it"), ("file", "is a file")])
def test_a_place_where_no_environment_can_be_is_told(made, tmp_path, monkeypatch, folder, message):
    root = shutil.copytree(made, tmp_path / folder, ignore=shutil.ignore_patterns(".venv"))
    if folder == "file":
        (root / ".venv").write_text("the name of my environment", encoding="utf-8")
    monkeypatch.setattr(install, "ROOT", root)
    monkeypatch.setattr(sys, "argv", ["install", "--torch", "system"])
    with pytest.raises(SystemExit, match=rf"✗ .*{message}.*\n  What to do: "):
        install.main()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_an_environment_of_somebody_else_is_told_as_such(copied, monkeypatch):
    (copied / "envs" / "lock.txt").write_text("", encoding="utf-8")
    (copied / ".venv").chmod(0o500)
    monkeypatch.setattr(install, "ROOT", copied)
    monkeypatch.setattr(sys, "argv", ["install", "--torch", "system"])
    try:
        with pytest.raises(
            SystemExit, match=r"✗ installing into \.venv: Permission denied \(.*ready\)\.\n  What to do"
        ):
            install.main()
    finally:
        (copied / ".venv").chmod(0o700)


def test_the_torch_of_the_system_comes_in_the_place_of_another_one_and_back(copied, monkeypatch):
    (packages,) = (copied / ".venv" / "lib").glob("python*/site-packages")
    system = packages / "torch-of-the-system.pth"
    own = packages / "torch" / "__init__.py"
    monkeypatch.setattr(install, "_install_torch", lambda installer, root: write_text(own, ""))
    install.repair(copied, development=False, system_torch=False)
    assert not system.exists() and files_of(copied, "torch") == [str(own)]
    repaired(copied)
    assert files_of(copied, "needed", "torch")[1].startswith(str(Path(sys.prefix).resolve()))


def test_uv_gets_the_settings_of_pip(monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text(
        "[global]\nfind-links =\n    /wheels\n    https://a.example/links\ntrusted-host = a.example b.example\n",
        encoding="utf-8",
    )
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    pip = [sys.executable, "-m", "pip"]
    settings = installer.settings_of_pip(pip)
    assert settings["UV_FIND_LINKS"] == "/wheels,https://a.example/links"
    assert settings["UV_INSECURE_HOST"] == "a.example b.example" and "UV_DEFAULT_INDEX" not in settings
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://me:it's@a.example/simple\n[install]\ncert = /o'neil/\"a\"\\b.pem\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PIP_PROXY", "proxy.example:3128")
    settings = installer.settings_of_pip(pip)
    assert settings["ALL_PROXY"] == "proxy.example:3128"
    assert settings["UV_DEFAULT_INDEX"] == "https://me:it's@a.example/simple"
    assert settings["SSL_CERT_FILE"] == '/o\'neil/"a"\\b.pem'
    monkeypatch.setenv("PIP_FIND_LINKS", "/one /two")
    assert installer.settings_of_pip(pip)["UV_FIND_LINKS"] == "/one,/two"
