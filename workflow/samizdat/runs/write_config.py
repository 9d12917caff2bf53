"""Write the config that a run uses, with all overlays merged."""

import json
from pathlib import Path
from typing import Any

from samizdat.base import stage
from samizdat.base.files import write_text


def write_config(values: dict[str, Any], run_config: Path) -> None:
    """Write `config.json`.

    Args:
        values: the whole config.
        run_config: the file to write.
    """
    write_text(run_config, json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    stage.run(write_config)
