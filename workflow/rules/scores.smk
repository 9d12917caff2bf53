# reads:  results/<run>/corpus/texts.parquet, results/<run>/samples/*.parquet, results/<run>/classifiers/<classifier>/
# writes: results/<run>/scores/<classifier>/, and scores of single texts in work/scores/


# Classifier → how many jobs share the texts.
SCORING_JOBS = {name: item.get("jobs", config["classification"]["jobs"]) for name, item in CLASSIFIERS.items()}
# Classifier → the files that say which of the parts are done; one job alone has none.
SCORED_PARTS = {
    name: [f"{WORK}/score_part/{name}/{part}of{jobs}.done" for part in range(jobs if jobs > 1 else 0)]
    for name, jobs in SCORING_JOBS.items()
}
# What both steps compute scores with.
SCORING = dict(
    settings=lambda wildcards: options(configuration.scoring_settings(config, wildcards.classifier)),
    classifier=lambda wildcards, input: folder_of(input.classifier[0]),
    store="work/scores",
    device=config["device"],
    numeric_threads=untracked(verbatim(str(CLASSIFIER_THREADS))),
    seed=stage_seed("classification"),
)


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
        **SCORING,
        tables=lambda wildcards, input: paths([input.tables]),
        work=f"{WORK}/score_part/{{classifier}}/{{part}}",
        code=code_digest("classifiers.score_part"),
    message:
        "Scoring part {wildcards.part} of {wildcards.jobs} of the texts with {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.score_part {params.settings} --classifier={params.classifier:q} --tables={params.tables}"
        " --part={wildcards.part:q} --parts={wildcards.jobs:q} --done={output.done:q} --store={params.store:q}"
        " --work={params.work:q} --device={params.device:q} --threads={params.numeric_threads:q} --seed={params.seed:q} --log={log:q}"
        " --title='scores '{wildcards.classifier:q}' part '{wildcards.part:q}"


rule score_texts:
    """Apply a classifier to each text, or to each sample."""
    input:
        classifier=lambda wildcards: classifier_files(wildcards.classifier),
        tables=lambda wildcards: (
            [f"{RESULTS}/corpus/texts.parquet"]
            if wildcards.subset == "texts"
            else [f"{RESULTS}/samples/{model}.parquet" for model in MODELS]
        ),
        parts=lambda wildcards: SCORED_PARTS[wildcards.classifier] if wildcards.subset == "texts" else [],
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
        **SCORING,
        tables=lambda wildcards, input: paths(input.tables),
        work=f"{WORK}/scores/{{classifier}}/{{subset}}",
        code=code_digest("classifiers.score_texts"),
    message:
        "Scoring {wildcards.subset} with {wildcards.classifier}"
    shell:
        "exec python -m samizdat.classifiers.score_texts {params.settings} --classifier={params.classifier:q} --tables={params.tables}"
        " --scores={output:q} --store={params.store:q} --work={params.work:q} --device={params.device:q}"
        " --threads={params.numeric_threads:q} --seed={params.seed:q} --log={log:q}"
        " --title='scores '{wildcards.classifier:q}/{wildcards.subset:q}"
