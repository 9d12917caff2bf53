"""How a model reads tokens: the longest input, the token that fills rows up, and the side that it is on."""

from typing import NamedTuple

from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from samizdat.base.errors import UserError


class Padding(NamedTuple):
    """What fills the rows of a batch up."""

    token: int  # its id
    left: bool  # whether it is before the text


def padding_of(config: PreTrainedConfig) -> Padding:
    """Return the padding that a model of this config expects, which `agree_on_padding` has made sure of.

    XLNet reads a text's result at the last place of a row, so its padding is before the text. All others read the first
    token, the mean of the text, or its last token, which they find: their padding is after the text, because positions
    that are counted from the start of a row stay right.
    """
    return Padding(config.pad_token_id, getattr(config, "summary_type", None) == "last")


def agree_on_padding(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerFast, origin: str) -> None:
    """Give a model and its tokenizer one padding token; where neither has one, a special token that no text has.

    Decoders such as GPT-2 have none. Their head reads the last token that is not padding: so the padding must not be a
    token that a text can end in.

    Raises:
        UserError: there is no such token.
    """
    if config.pad_token_id not in range(config.vocab_size):  # older configs say -1 for none
        config.pad_token_id = None
    if config.pad_token_id is None and tokenizer.pad_token_id in range(config.vocab_size):
        config.pad_token_id = tokenizer.pad_token_id
    if config.pad_token_id is None:
        added = tokenizer("")["input_ids"]
        free = [token for token in tokenizer.all_special_ids if token not in added and token < config.vocab_size]
        if not free:
            raise UserError(
                f"the tokenizer of {origin} has no padding token and no other special token to take for it, so texts "
                "can't be batched",
                remedy="set `pad_token` in a local copy of its tokenizer_config.json to a token that no text has, and "
                "`pad_token_id` in its config.json",
            )
        config.pad_token_id = free[0]
    if tokenizer.pad_token_id != config.pad_token_id:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(config.pad_token_id)


def longest_input(model: PreTrainedModel) -> int | None:
    """Return the length of the longest input in tokens, special ones included; None where the model has no limit."""
    embeddings = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    if embeddings is None:
        limit: int | None = getattr(model.config, "max_position_embeddings", None)
        return limit if limit is not None and limit > 0 else None  # XLNet's config says -1
    # RoBERTa and its relatives count positions from the number after the padding's id.
    unused = 0 if embeddings.padding_idx is None else embeddings.padding_idx + 1
    return int(embeddings.num_embeddings - unused)


def refuse_longer_windows(model: PreTrainedModel, max_length_tokens: int, origin: str, name: str) -> None:
    """Refuse windows that are longer than what a model reads.

    Args:
        model: the classifier or encoder.
        max_length_tokens: the length of the windows.
        origin: where the model comes from.
        name: of the classifier in the config.

    Raises:
        UserError: the windows are longer.
    """
    longest = longest_input(model)
    if longest is not None and max_length_tokens > longest:
        raise UserError(
            f"{origin} reads at most {longest} tokens, and max_length_tokens is {max_length_tokens}",
            remedy=f"lower max_length_tokens of the classifier {name!r} in the config",
        )
