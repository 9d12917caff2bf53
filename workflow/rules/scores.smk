# reads:  results/<run>/corpus/texts.parquet, results/<run>/samples/*.parquet, results/<run>/classifiers/<classifier>/
# writes: results/<run>/scores/<classifier>/, and scores of single texts in work/scores/


def tables_to_score(wildcards):
    """List the table of the corpus, or the tables of samples of all models."""
    if wildcards.subset == "texts":
        return [f"{RESULTS}/corpus/texts.parquet"]
    return [f"{RESULTS}/samples/{model}.parquet" for model in MODELS]


# Classifier → how many jobs share the texts.
SCORING_JOBS = {name: item.get("jobs", config["classification"]["jobs"]) for name, item in CLASSIFIERS.items()}


def scored_parts(wildcards):
    """List the marks of the parts of the texts that were scored by jobs of their own; one job alone has none."""
    jobs = SCORING_JOBS[wildcards.classifier]
    number = jobs if wildcards.subset == "texts" and jobs > 1 else 0
    return [f"{WORK}/score_part/{wildcards.classifier}/{part}of{jobs}.done" for part in range(number)]


rule score_part:
    """Compute a classifier's scores of a part of the texts, which `score_texts` then finds in the store."""
    input:
        classifier=lambda wildcards: classifier_files(wildcards.classifier),
        tables=f"{RESULTS}/corpus/texts.parquet",
    output:
        done=temp(f"{WORK}/score_part/{{classifier}}/{{part}}of{{jobs}}.done"),
    log:
        f"{LOGS}/score_part/{{classifier}}-{{part}}of{{jobs}}.log",
    wildcard_constraints:
        part="[0-9]+",
        jobs="[0-9]+",
    threads: CLASSIFIER_THREADS
    resources:
        **asks(3000, minutes=240, megabytes_per_input=4),
        **GPU,
    params:
        settings=lambda wildcards: options(configuration.scoring_settings(config, wildcards.classifier)),
        classifier=lambda wildcards, input: folder_of(input.classifier[0]),
        tables=lambda wildcards, input: paths([input.tables]),
        store="work/scores",
        work=f"{WORK}/score_part/{{classifier}}/{{part}}",
        device=config["device"],
        numeric_threads=untracked(verbatim(str(CLASSIFIER_THREADS))),
        seed=stage_seed("classification"),
        code=code_digest("classifiers.score_part"),
    message:
        "Scoring part {wildcards.part} of {wildcards.jobs} of the texts with {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.score_part {params.settings} --classifier={params.classifier:q} --tables={params.tables}"
        " --part={wildcards.part} --parts={wildcards.jobs} --done={output.done:q} --store={params.store:q}"
        " --work={params.work:q} --device={params.device:q} --threads={params.numeric_threads:q} --seed={params.seed:q} --log={log:q}"
        " --title='scores '{wildcards.classifier:q}' part '{wildcards.part}"


rule score_texts:
    """Apply a classifier to each text, or to each sample."""
    input:
        classifier=lambda wildcards: classifier_files(wildcards.classifier),
        tables=tables_to_score,
        parts=scored_parts,
    output:
        f"{RESULTS}/scores/{{classifier}}/{{subset}}.parquet",
    log:
        f"{LOGS}/score_texts/{{classifier}}-{{subset}}.log",
    wildcard_constraints:
        subset="texts|samples",
    threads: CLASSIFIER_THREADS
    resources:
        **asks(3000, minutes=240, megabytes_per_input=4),
        **GPU,
    params:
        settings=lambda wildcards: options(configuration.scoring_settings(config, wildcards.classifier)),
        classifier=lambda wildcards, input: folder_of(input.classifier[0]),
        tables=lambda wildcards, input: paths(input.tables),
        store="work/scores",
        work=f"{WORK}/scores/{{classifier}}/{{subset}}",
        device=config["device"],
        numeric_threads=untracked(verbatim(str(CLASSIFIER_THREADS))),
        seed=stage_seed("classification"),
        code=code_digest("classifiers.score_texts"),
    message:
        "Scoring {wildcards.subset} with {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.score_texts {params.settings} --classifier={params.classifier:q} --tables={params.tables}"
        " --scores={output:q} --store={params.store:q} --work={params.work:q} --device={params.device:q}"
        " --threads={params.numeric_threads:q} --seed={params.seed:q} --log={log:q}"
        " --title='scores '{wildcards.classifier:q}/{wildcards.subset:q}"
