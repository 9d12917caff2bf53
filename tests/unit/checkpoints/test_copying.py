"""Copies of published checkpoints: what is written, and what is left out."""

from tokenizers import Tokenizer, models
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base.files import is_checksum
from samizdat.checkpoints.copying import write_copy
from samizdat.checkpoints.sources import CHECKPOINT_FILES


def test_a_copy_has_no_templates_for_chats(tmp_path):
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE({"</s>": 0, "a": 1}, [])), eos_token="</s>"
    )
    tokenizer.chat_template = {"default": "{{ messages }}", "tool_use": "{{ tools }}"}
    shape = {"vocab_size": 2, "n_layer": 1, "n_embd": 8, "n_head": 1, "n_positions": 8}
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0))
    write_copy(model, tokenizer, tmp_path, "owner/name")
    assert {path.name for path in tmp_path.iterdir() if not is_checksum(path)} == set(CHECKPOINT_FILES)
