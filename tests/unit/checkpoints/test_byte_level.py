"""The bytes of tokens are those that the library's own decoder gives."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from samizdat.checkpoints.byte_level import bytes_of_tokens


def test_tokens_have_the_bytes_that_they_are_decoded_to():
    """Some vocabularies on the Hub have tokens that were added by hand, with characters that stand for no byte."""
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġa", "ÃŃ", "漢", "▁x", "a漢Ġ", "<end>"]
    backend = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=[]))
    backend.decoder = decoders.ByteLevel()
    spelled = bytes_of_tokens(PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>"))
    assert spelled is not None and len(spelled) == len(tokens)
    for number, token in enumerate(tokens):
        assert spelled[number].decode(errors="replace") == backend.decoder.decode([token])
