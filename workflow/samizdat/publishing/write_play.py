"""Write a page in which the model itself runs: one file, no request."""

import base64
import html
import json
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from safetensors.numpy import load

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, checked_sha256, write_text
from samizdat.base.language import numeral, speaking
from samizdat.base.play_size import LARGEST_BYTES
from samizdat.publishing.content_policy import with_policy
from samizdat.publishing.document_words import translated_page
from samizdat.publishing.play_tokenizer import tokenizer_facts
from samizdat.publishing.script_words import PLAY_WORDS, script_words
from samizdat.records.io import read_document
from samizdat.records.models import RoundedModel

_ALIGNED = 4  # bytes; a float32 begins at a multiple of its size
_DATA = "<!-- the model -->"


def write_play(
    name: str,
    title_of_run: str,
    language: str,
    report_language: str,
    beginning: str,
    sampling: dict[str, float],
    rounded: Path,
    tokenizer: Path,
    look: Path,
    page: Path,
) -> str:
    """Write the page with a model's kept checkpoints, its tokenizer, and what to begin with.

    Args:
        name: of the model.
        title_of_run: the report's title.
        language: of the texts.
        report_language: of the page's own words.
        beginning: of a text, to show something.
        sampling: where the page's settings begin: `temperature`, `topK`, `topP` and `penalty`.
        rounded: the folder with the weights in eight bits.
        tokenizer: the tokenizer's file.
        look: the folder with the page's parts, `play/`, the report's look, and its script with words.
        page: where to write.

    Raises:
        UserError: a file is damaged, the tokenizer is of another kind, or the page would be too large.
    """
    model = read_document(RoundedModel, rounded / "summary.json")
    percents = sorted(model.steps, key=int)
    packed = [_packed(load(checked_bytes(rounded / f"{percent}.safetensors"))) for percent in percents]
    checked_sha256(tokenizer)
    facts = {
        "language": language,
        "beginning": beginning,
        "settings": sampling,
        "tensors": packed[0][0],
        "tokenizer": tokenizer_facts(
            tokenizer, boundary=model.boundary_token_id, vocabulary_size=model.vocabulary_size
        ),
        "shape": {
            "layers": model.layers, "heads": model.heads, "width": model.width, "inner": model.inner_width,
            "context": model.context_tokens, "vocabulary": model.vocabulary_size, "epsilon": model.epsilon,
            "scales": model.attention_scales,
        },
        "checkpoints": [{"percent": int(percent), "step": model.steps[percent]} for percent in percents],
    }  # fmt: skip
    values = {"title": title_of_run, "model": name, "language": language, "report_language": report_language}
    with speaking(report_language):
        content = _page(model, values, percents, look)
    worker = (look / "play" / "worker.js").read_text(encoding="utf-8")
    blocks = [_block("facts", "application/json", json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c"))]
    blocks.append(_block("worker", "text/plain", worker))
    for percent, (_, content_of_weights) in zip(percents, packed, strict=True):
        blocks.append(_block(f"weights-{percent}", "text/plain", base64.b64encode(content_of_weights).decode()))
    content = content.replace(_DATA, "\n".join(blocks), 1)
    size = len(content.encode())
    if size > LARGEST_BYTES:
        raise UserError(
            f"the page with the model {name!r} would have {size / 1e6:.0f} MB, for {len(percents)} checkpoints: more "
            f"than {LARGEST_BYTES / 1e6:.0f} MB are too much for many browsers",
            remedy="keep fewer checkpoints (keep_percents of the model in the config), name a smaller model under "
            "`play`, or set `play: null`",
        )
    write_text(page, content)
    return f"{size / 1e6:.1f} MB; checkpoints: {len(percents)}"


def _packed(parts: dict[str, np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
    """Put the arrays of a checkpoint one after the other; return where each begins, and all bytes."""
    content = bytearray()

    def put(array: np.ndarray) -> int:
        content.extend(bytes(-len(content) % _ALIGNED))
        at = len(content)
        content.extend(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        return at

    tensors = [
        {
            "name": name,
            "rows": array.shape[0],
            "columns": array.shape[1] if array.ndim > 1 else None,
            "at": put(array),
            "scales": put(parts[f"{name}.scales"]) if array.ndim > 1 else None,
        }
        for name, array in sorted(parts.items())
        if not name.endswith(".scales")
    ]
    return tensors, bytes(content)


def _page(model: RoundedModel, values: dict[str, str], percents: list[str], look: Path) -> str:
    """Return the page without the model's data: these are no scripts, so the policy needs no hash of them.

    `values` are those of the page's template that are text.
    """
    parts = look / "play"
    rows = [
        f"<tr><td>{percent} %</td><td>{numeral(model.steps[percent], ',')}</td>"
        f"<td>{numeral(model.bits_per_byte[percent], '.4f')}</td>"
        f"<td>{numeral(model.rounded_bits_per_byte[percent], '.4f')}</td></tr>"
        for percent in percents
    ]
    script = "".join(file.read_text(encoding="utf-8") for file in (look / "words.js", parts / "play.js"))
    return with_policy(
        Template(translated_page((parts / "play.html").read_text(encoding="utf-8"))).substitute(
            {key: html.escape(value) for key, value in values.items()},
            words=f"{words}\n" if (words := script_words(PLAY_WORDS)) else "",
            style="".join(file.read_text(encoding="utf-8") for file in (look / "page.css", parts / "play.css")),
            checkpoints="\n".join(rows),
            scripts=f"{_DATA}\n<script>{script}</script>",
        ),
        "worker-src blob:",
    )


def _block(identifier: str, kind: str, content: str) -> str:
    """Write an element of data, which no browser runs."""
    return f'<script id="{identifier}" type="{kind}">{content}</script>'


if __name__ == "__main__":
    stage.run(write_play)
