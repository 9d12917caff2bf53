"""The demo's config, with changes: for tests of what is accepted and what is refused."""

import copy
from pathlib import Path

import pytest
import yaml

from samizdat.base import configuration
from samizdat.base.errors import UserError

ROOT = Path(__file__).parents[2]
BASE = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


def changed(**changes):
    """The demo config with dotted keys changed."""
    config = copy.deepcopy(BASE)
    for path, value in changes.items():
        target = config
        *parents, last = path.split("__")
        for part in parents:
            target = target[int(part) if part.isdigit() else part]
        target[last] = value
    return config


def refusal(changes) -> str:
    """Say why the demo config with these changes is refused."""
    with pytest.raises(UserError) as error:
        configuration.check(changed(**changes))
    return str(error.value)
