"""Write tokenizers in the files that classifiers on the Hub have: SentencePiece's Unigram and BERT's WordPiece."""

import io
import json
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "The old house stands by the river and nobody has lived there for years.",
    "What a wonderful film, I loved every minute of it!",
    "This is the worst service that I have ever paid for.",
    "Dnes prší a vlak má zpoždění, ale nikomu to nevadí.",
    "Žluťoučký kůň úpěl ďábelské ódy na břehu řeky.",
    "Das Wetter war schlecht, die Suppe kalt und der Kellner freundlich.",
    "Le chat dort sur la table pendant que la pluie tombe.",
    "No sé qué decir, la verdad es que no me gusta nada.",
    "Kdo jinému jámu kopá, sám do ní padá, říká se.",
    "The government announced a new law about schools and taxes.",
    "I bought this phone last week and the battery is already dead.",
    "Nothing in the letter explained why she had left so early.",
]


def write_tokenizer(folder: Path, model_type: str) -> None:
    """Write SentencePiece's Unigram in all files of XLM-R, or WordPiece in those of BERT (multilingual, cased)."""
    folder.mkdir(parents=True, exist_ok=True)
    if model_type == "bert":
        _write_wordpiece(folder)
    else:
        _write_unigram(folder)


def _write_unigram(folder: Path) -> None:
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 4),
        model_writer=buffer,
        model_type="unigram",
        vocab_size=300,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    (folder / "sentencepiece.bpe.model").write_bytes(buffer.getvalue())
    proto = sentencepiece_model_pb2.ModelProto.FromString(buffer.getvalue())
    # XLM-R replaces SentencePiece's first three pieces by four tokens of its own, and adds one at the end.
    pieces = [(piece.piece, piece.score) for piece in proto.pieces[3:]]
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = [*((token, 0.0) for token in special), *pieces, ("<mask>", 0.0)]
    backend = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    backend.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    backend.decoder = decoders.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    backend.add_special_tokens([AddedToken(token, special=True) for token in special])
    backend.add_special_tokens([AddedToken("<mask>", special=True, lstrip=True)])
    backend.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>"}
    names |= {"pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>"}
    write_json(folder / "special_tokens_map.json", names)
    kind = {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 512}
    write_json(folder / "tokenizer_config.json", names | kind)


def _write_wordpiece(folder: Path) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=None)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    backend.train_from_iterator(SENTENCES, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    backend.save(str(folder / "tokenizer.json"))
    backend.model.save(str(folder))
    names = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    names |= {"mask_token": "[MASK]"}
    write_json(folder / "special_tokens_map.json", names)
    kind = {"do_lower_case": False, "tokenizer_class": "BertTokenizer", "model_max_length": 512}
    write_json(folder / "tokenizer_config.json", names | kind)


def vocabulary_size(folder: Path) -> int:
    """Count the tokens of a written tokenizer."""
    return Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()


def write_json(path: Path, values: object) -> None:
    """Write a file of a repository."""
    path.write_text(json.dumps(values, indent=2), encoding="utf-8")
