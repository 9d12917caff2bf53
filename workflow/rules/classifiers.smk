# reads:  results/<run>/corpus/texts.parquet, an encoder or checkpoint
# writes: results/<run>/classifiers/<classifier>/, results/<run>/scores/<classifier>/accuracy_by_examples.parquet


rule finetune_classifier:
    """Fine-tune a classifier on a column of human labels of the corpus."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
    output:
        expand(f"{RESULTS}/classifiers/{{{{classifier}}}}/{{file}}", file=CLASSIFIER_FILES),
    log:
        f"{LOGS}/finetune_classifier/{{classifier}}.log",
    wildcard_constraints:
        classifier="|".join(FINETUNED) or "(?!)",
    threads: CLASSIFIER_THREADS
    resources:
        **asks(6000, minutes=240, megabytes_per_input=20),
        **GPU,
    params:
        settings=lambda wildcards: options(configuration.finetuning_settings(config, wildcards.classifier)),
        checkpoint=lambda wildcards: state_of_folder(
            configuration.finetuning_settings(config, wildcards.classifier)["checkpoint"]
        ),
        description=describe,
        max_length=max_length,
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/classifiers/{{classifier}}",
        device=config["device"],
        numeric_threads=CLASSIFIER_THREADS,
        seed=lambda wildcards: stage_seed("finetuning", wildcards.classifier),
        code=code_digest("classifiers.finetune_classifier"),
    message:
        "Fine-tuning the classifier {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.finetune_classifier {params.settings} {params.description} --max-length-tokens={params.max_length:q}"
        " --texts={input.texts:q} --out={params.out:q} --work={params.work:q} --device={params.device:q}"
        " --threads={params.numeric_threads:q} --seed={params.seed:q} --log={log:q}"
        " --title='classifier '{wildcards.classifier:q}"


rule import_classifier:
    """Copy a ready-made classifier from the Hub or a folder, as safetensors, and check its labels."""
    output:
        expand(f"{RESULTS}/classifiers/{{{{classifier}}}}/{{file}}", file=CLASSIFIER_FILES),
    log:
        f"{LOGS}/import_classifier/{{classifier}}.log",
    wildcard_constraints:
        classifier="|".join(READY_MADE) or "(?!)",
    # Before a training: labels may be refused.
    priority: 1
    resources:
        **asks(4000, minutes=60),
    params:
        settings=lambda wildcards: options(
            {
                "checkpoint": CLASSIFIERS[wildcards.classifier]["checkpoint"],
                "revision": CLASSIFIERS[wildcards.classifier].get("revision"),
                "labels": CLASSIFIERS[wildcards.classifier].get("labels", []),
                "label_names": CLASSIFIERS[wildcards.classifier].get("label_names", {}),
                "template": CLASSIFIERS[wildcards.classifier].get("template"),
            }
        ),
        checkpoint=lambda wildcards: state_of_folder(CLASSIFIERS[wildcards.classifier]["checkpoint"]),
        description=describe,
        max_length=max_length,
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/classifiers/{{classifier}}",
        code=code_digest("classifiers.import_classifier"),
    message:
        "Importing the classifier {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.import_classifier {params.settings} {params.description} --max-length-tokens={params.max_length:q}"
        " --out={params.out:q} --work={params.work:q} --log={log:q} --title='classifier '{wildcards.classifier:q}"


rule prepare_few_shot:
    """Draw texts with human labels, and copy the language model that is shown them."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
    output:
        expand(f"{RESULTS}/classifiers/{{{{classifier}}}}/{{file}}", file=[*CLASSIFIER_FILES, "examples.json"]),
    log:
        f"{LOGS}/prepare_few_shot/{{classifier}}.log",
    wildcard_constraints:
        classifier="|".join(FEW_SHOT) or "(?!)",
    # Before a training: the tokenizer decides whether the template can be read.
    priority: 1
    resources:
        **asks(6000, minutes=60, megabytes_per_input=4),
    params:
        settings=lambda wildcards: options(
            {
                "checkpoint": CLASSIFIERS[wildcards.classifier]["checkpoint"],
                "revision": CLASSIFIERS[wildcards.classifier].get("revision"),
                "label_names": CLASSIFIERS[wildcards.classifier].get("label_names", {}),
                "template": CLASSIFIERS[wildcards.classifier]["template"],
                "examples": CLASSIFIERS[wildcards.classifier]["examples"],
            }
        ),
        checkpoint=lambda wildcards: state_of_folder(CLASSIFIERS[wildcards.classifier]["checkpoint"]),
        description=describe,
        max_length=max_length,
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/classifiers/{{classifier}}",
        seed=lambda wildcards: stage_seed("few-shot", wildcards.classifier),
        code=code_digest("classifiers.prepare_few_shot"),
    message:
        "Preparing the classifier {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.prepare_few_shot {params.settings} {params.description} --max-length-tokens={params.max_length:q}"
        " --texts={input.texts:q} --out={params.out:q} --work={params.work:q} --seed={params.seed:q} --log={log:q}"
        " --title='classifier '{wildcards.classifier:q}"


rule measure_examples:
    """Measure how often a few-shot classifier is right after fewer examples."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
        classifier=lambda wildcards: classifier_files(wildcards.classifier),
    output:
        f"{RESULTS}/scores/{{classifier}}/accuracy_by_examples.parquet",
    log:
        f"{LOGS}/measure_examples/{{classifier}}.log",
    wildcard_constraints:
        classifier="|".join(FEW_SHOT) or "(?!)",
    threads: CLASSIFIER_THREADS
    resources:
        **asks(4000, minutes=240, megabytes_per_input=4),
        **GPU,
    params:
        settings=lambda wildcards: options(
            configuration.scoring_settings(config, wildcards.classifier) | config["statistics"]
        ),
        classifier=lambda wildcards, input: folder_of(input.classifier[0]),
        work=f"{WORK}/measure_examples/{{classifier}}",
        device=config["device"],
        numeric_threads=untracked(verbatim(str(CLASSIFIER_THREADS))),
        seed=lambda wildcards: stage_seed("examples", wildcards.classifier),
        code=code_digest("classifiers.measure_examples"),
    message:
        "Measuring {wildcards.classifier} with fewer examples"
    shell:
        "exec python -m samizdat.classifiers.measure_examples {params.settings} --classifier={params.classifier:q} --texts={input.texts:q}"
        " --accuracy={output:q} --device={params.device:q} --threads={params.numeric_threads:q} --seed={params.seed:q}"
        " --work={params.work:q} --log={log:q} --title='examples '{wildcards.classifier:q}"
