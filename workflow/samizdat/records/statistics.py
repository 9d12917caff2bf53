"""The schemas of `statistics/*.parquet`."""

import pyarrow as pa

from samizdat.records.io import table_schema

# `low` and `high` are the bounds of the confidence interval at the config's level.

LABEL_SHARES = table_schema(
    classifier=pa.string(),
    subset=pa.string(),  # "texts" or "samples"
    # For texts "all" or "group". For samples of the published models without a prompt "all", "model" or "temperature".
    # For samples of the prompts that every checkpoint continued "percent".
    group_kind=pa.string(),
    group=pa.string(),  # null for "all"
    label=pa.string(),  # null: no label, of a classifier that gives several at once
    count=pa.int64(),
    share=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
)

DIVERGENCES = table_schema(
    classifier=pa.string(),
    model=pa.string(),
    percent=pa.int16(),
    temperature=pa.float32(),  # null: all temperatures together
    # "nothing": samples of the published model without a prompt, compared with texts.
    # "prompts": samples of the prompts that every checkpoint continued, to compare the checkpoints.
    begun_with=pa.string(),
    samples=pa.int64(),
    texts=pa.int64(),
    observed_bits=pa.float64(),  # Jensen–Shannon divergence between the label shares of samples and texts, 0 to 1
    # The rest is null with too few samples or documents (FEWEST_DOCUMENTS in measures/bootstrap.py).
    jensen_shannon_bits=pa.float64(),  # the same without what chance adds
    low=pa.float64(),
    high=pa.float64(),
    chance_bits=pa.float64(),  # bound, at that confidence, of what is observed where nothing differs
    p_value=pa.float64(),  # of no difference
    p_since_first=pa.float64(),  # with "prompts": of no difference between this checkpoint and the first
    # Range of `observed_bits` over the model's trainings with all seeds; null where there is one training.
    seeds_low=pa.float64(),
    seeds_high=pa.float64(),
)

QUALITY = table_schema(
    classifier=pa.string(),
    label_column=pa.string(),  # the column of human labels that it is compared with
    method=pa.string(),  # "classifier", "majority", "lexicon", "human" (one rater against the others) or "raters"
    # "accuracy", "macro_f1"; for classifiers "accuracy_above_majority", "calibration_error", "confidence_gap" (by how
    # much the probability of labels is above accuracy); for one label "precision", "recall", "f1"; for classifiers that
    # give several labels "macro_f1", "micro_f1" and those for one label;
    # for raters "krippendorff_alpha" of their labels, "krippendorff_alpha_ratings" of ratings
    metric=pa.string(),
    label=pa.string(),  # null for the metrics over all labels
    texts=pa.int64(),  # held-out texts that the value was computed from
    value=pa.float64(),  # null: an alpha where all answers are the same
    low=pa.float64(),  # null with too few documents, like all that follow
    high=pa.float64(),
    # For "calibration_error", which has no interval: its bound, at that confidence, where labels are right as often as
    # they say.
    chance=pa.float64(),
    p_value=pa.float64(),  # for "calibration_error" of that; for "accuracy_above_majority" of no difference
)

# Of held-out texts; pairs of labels that occur, and each label with itself.
CONFUSION = table_schema(
    classifier=pa.string(),
    label_column=pa.string(),
    human=pa.string(),
    predicted=pa.string(),
    count=pa.int64(),
)

# Held-out texts in bins by the probability of their label, with the share of labels that are right.
CALIBRATION = table_schema(
    **{"classifier": pa.string(), "label_column": pa.string()},
    **{"from": pa.float64(), "to": pa.float64()},  # bounds of the bin
    texts=pa.int64(),
    confidence=pa.float64(),  # mean probability of the labels in the bin
    accuracy=pa.float64(),  # share of these labels that equal the human label
    low=pa.float64(),
    high=pa.float64(),
)

ASSOCIATIONS = table_schema(
    left=pa.string(),  # a classifier
    right=pa.string(),  # another classifier
    measure=pa.string(),  # "cohen_kappa" if both have the same labels, else "cramers_v"
    texts=pa.int64(),  # texts that have a label of both and that neither was trained on
    value=pa.float64(),
    # Null with too few documents, like all that follow; for "cramers_v" also with too few texts for its approximation.
    low=pa.float64(),
    high=pa.float64(),
    p_value=pa.float64(),  # of no association
    p_holm=pa.float64(),  # corrected for the number of pairs (Holm)
)

GROUP_TESTS = table_schema(
    classifier=pa.string(),
    groups=pa.int64(),
    texts=pa.int64(),
    chi_square=pa.float64(),
    degrees_of_freedom=pa.int64(),
    p_value=pa.float64(),  # null with too few documents, like `p_holm`
    p_holm=pa.float64(),  # corrected for the number of classifiers (Holm)
    cramers_v=pa.float64(),
    low=pa.float64(),  # of Cramér's V; null with too few documents, or too few texts for the approximation
    high=pa.float64(),
)

EXAMPLES = table_schema(
    classifier=pa.string(),
    certainty=pa.string(),  # "most" or "least"
    id=pa.string(),  # of the text
    label=pa.string(),
    probability=pa.float64(),
    # The second most probable label; null of a classifier that gives several labels at once, where the text of "least"
    # is that whose probability of `label` is nearest to the threshold.
    runner_up=pa.string(),
    runner_up_probability=pa.float64(),
)

# Of classifiers that give several labels at once: the tests of each label.
LABEL_DIFFERENCES = table_schema(
    classifier=pa.string(),
    label=pa.string(),
    # "groups": whether groups of texts have it equally often. "samples": whether samples of a published model, begun
    # with nothing, have it as often as the texts.
    between=pa.string(),
    model=pa.string(),  # null for "groups"
    texts=pa.int64(),
    samples=pa.int64(),  # null for "groups"
    value=pa.float64(),  # "groups": Cramér's V; "samples": Jensen–Shannon divergence in bits without what chance adds
    low=pa.float64(),  # null with too few documents, like all that follow
    high=pa.float64(),
    p_value=pa.float64(),  # of no difference
)

FREQUENT_LABELS = 12  # that the report draws together

# Of classifiers that give several labels at once: which share of the texts with one label has another one, too.
# Pairs that occur, and those whose other label is one of the twelve most frequent.
COOCCURRENCE = table_schema(
    classifier=pa.string(),
    label=pa.string(),
    other=pa.string(),
    texts=pa.int64(),  # with the label
    both=pa.int64(),  # with both
    share=pa.float64(),  # both / texts
    low=pa.float64(),  # null with too few documents
    high=pa.float64(),
    share_of_all=pa.float64(),  # the share of all texts that has the other label
)

# What classifiers say that give a number.
NUMBERS = table_schema(
    classifier=pa.string(),
    subset=pa.string(),  # as in `label_shares`, like the next two
    group_kind=pa.string(),
    group=pa.string(),
    # "mean"; "quantile_0.05" to "quantile_0.95"; of samples "above_texts", their mean less that of all texts; of
    # held-out texts (group_kind "human") "spearman", the rank correlation with `label_column`.
    metric=pa.string(),
    label_column=pa.string(),  # null but for "spearman"
    texts=pa.int64(),  # or samples
    value=pa.float64(),  # null: "spearman" where all numbers of one side are equal
    low=pa.float64(),  # null with too few documents
    high=pa.float64(),
)

# How often each label is given in each fifth of long documents, or the mean of the numbers there.
POSITIONS = table_schema(
    classifier=pa.string(),
    label=pa.string(),  # null: the number
    part=pa.int8(),  # of a document, from 1 to 5
    texts=pa.int64(),  # in this part of all long documents
    value=pa.float64(),  # share of the texts with the label, or the mean of their numbers
    low=pa.float64(),  # null with too few documents
    high=pa.float64(),
)

# By how much a label's share, or the number, changes from the beginning of long documents to their end.
POSITION_CHANGES = table_schema(
    classifier=pa.string(),
    label=pa.string(),  # null: the number
    documents=pa.int64(),  # with at least five texts
    texts=pa.int64(),  # of these documents that the classifier said something of and was not trained on
    value=pa.float64(),  # end less beginning, by a straight line within each document
    low=pa.float64(),  # null with too few documents, like all that follow
    high=pa.float64(),
    p_value=pa.float64(),  # of no change
    p_holm=pa.float64(),  # corrected for the number of labels and classifiers (Holm)
)

LANGUAGES = table_schema(
    language=pa.string(),  # detected language, ISO 639-1
    texts=pa.int64(),  # texts in that language; short or unclear texts are left out
)

FITNESS = table_schema(
    classifier=pa.string(),
    # "no_label" and "several_windows"; and "other_language", "too_short" and "too_long", if the config says which texts
    # the classifier was made for
    check=pa.string(),
    texts=pa.int64(),  # texts that the check found
    of=pa.int64(),  # texts that were checked
)

# Bits per byte of the held-out texts.
MODEL_LOSSES = table_schema(
    model=pa.string(),
    documents=pa.int64(),
    value=pa.float64(),  # of the published model
    low=pa.float64(),  # over documents; null with too few
    high=pa.float64(),
    seeds=pa.int64(),  # how many trainings the model had
    # Range over these trainings; null where there is one.
    seeds_low=pa.float64(),
    seeds_high=pa.float64(),
)

# For each two models.
MODEL_DIFFERENCES = table_schema(
    model=pa.string(),
    other=pa.string(),
    seeds=pa.int64(),  # trainings of both models together
    value=pa.float64(),  # bits per byte of the model less those of the other, means over their seeds
    covers_seeds=pa.bool_(),  # whether what follows covers other seeds as well as other documents
    low=pa.float64(),  # null with too few documents, like all that follow
    high=pa.float64(),
    p_value=pa.float64(),  # of no difference
    p_holm=pa.float64(),  # corrected for the number of pairs (Holm)
)

# Terms that a set has more often than others, or less often: the clearest of each set, clearest first, whether chance
# explains them or not. A set without a row was not compared.
TERMS = table_schema(
    # "groups": texts of a group, and all other texts that have a group. "samples": samples of a published model, begun
    # with nothing, and as many first words of each text as the longest of these samples has.
    between=pa.string(),
    set=pa.string(),  # the group, or the model
    term=pa.string(),  # a word in lower case; at least five documents have it
    documents=pa.int64(),  # documents of the set (or samples) that have it
    occurrences=pa.int64(),  # in the set
    words=pa.int64(),  # of the set
    others_occurrences=pa.int64(),  # in what the set is compared with
    others_words=pa.int64(),
    log_odds=pa.float64(),  # natural logarithm of the odds ratio, with a prior; above 0: the set has it more often
    low=pa.float64(),  # of intervals that hold for all terms and sets together
    high=pa.float64(),
    p_value=pa.float64(),  # of no difference, corrected for the number of terms, groups and models
    terms=pa.int64(),  # how many terms were looked at
)

STATISTICS = {
    "label_shares": LABEL_SHARES,
    "divergences": DIVERGENCES,
    "quality": QUALITY,
    "confusion": CONFUSION,
    "calibration": CALIBRATION,
    "associations": ASSOCIATIONS,
    "group_tests": GROUP_TESTS,
    "examples": EXAMPLES,
    "label_differences": LABEL_DIFFERENCES,
    "cooccurrence": COOCCURRENCE,
    "numbers": NUMBERS,
    "positions": POSITIONS,
    "position_changes": POSITION_CHANGES,
    "languages": LANGUAGES,
    "fitness": FITNESS,
    "model_losses": MODEL_LOSSES,
    "model_differences": MODEL_DIFFERENCES,
    "terms": TERMS,
}
