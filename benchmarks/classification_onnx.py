"""Score texts with ONNX Runtime as somebody would who knows it well: sorted by length, in batches."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def onnx(classifier: str, table: str, threads: int, batch_size: int, *, int8: bool = False) -> dict[str, Any]:
    """Score a table with ONNX Runtime, sorted by length, in batches; return seconds without loading.

    Args:
        classifier: its folder.
        table: of texts.
        threads: of one operation.
        batch_size: texts in a batch.
        int8: quantise weights and, while it runs, activations; else all is in float32.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - the exporter needs it

        if int8:
            from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        return {"left_out": str(error)}
    model = AutoModelForSequenceClassification.from_pretrained(classifier, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    texts = pd.read_parquet(table)["text"].tolist()
    example = dict(tokenizer(texts[:2], padding=True, return_tensors="pt"))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model.onnx"))
        free = {0: torch.export.Dim("rows", min=1, max=4096), 1: torch.export.Dim("tokens", min=2, max=512)}
        inputs = {name: example[name] for name in ("input_ids", "attention_mask")}
        torch.onnx.export(
            model, (), path, kwargs=inputs, dynamo=True, dynamic_shapes=dict.fromkeys(inputs, free), verbose=False
        )
        if int8:
            whole, path = path, str(Path(folder, "int8.onnx"))
            quantize_dynamic(whole, path, weight_type=QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        session.run(None, {name: value.numpy() for name, value in inputs.items()})
        started = time.perf_counter()
        encoded = tokenizer(texts, truncation=True, max_length=128)["input_ids"]
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place]))
        numbers = np.zeros(len(texts), int)
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            batch = tokenizer.pad({"input_ids": [encoded[place] for place in places]}, return_tensors="np")
            (logits,) = session.run(None, {name: batch[name].astype(np.int64) for name in inputs})
            numbers[places] = logits.argmax(axis=1)
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "labels": [model.config.id2label[int(number)] for number in numbers]}
