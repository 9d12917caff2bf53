# reads:  results/<run>/scores/, classifiers/*/card.json, corpus/texts.parquet, samples/*.parquet; data/labels/
# writes: results/<run>/statistics/


rule detect_languages:
    """Detect the language of each text."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
    output:
        f"{RESULTS}/corpus/languages.parquet",
    log:
        f"{LOGS}/detect_languages.log",
    threads: config["threads"]
    resources:
        **asks(1000, minutes=30, megabytes_per_input=4),
    params:
        work=f"{WORK}/languages",
        numeric_threads=untracked(verbatim(str(config["threads"]))),
        seed=stage_seed("languages"),
        code=code_digest("statistics.detect_languages"),
    message:
        "Detecting languages"
    shell:
        "exec python -m samizdat.statistics.detect_languages --texts={input.texts:q} --languages={output:q}"
        " --threads={params.numeric_threads:q} --seed={params.seed:q} --work={params.work:q} --log={log:q}"
        " --title=languages"


rule compute_statistics:
    """Compute label shares, divergences, quality on held-out texts and more, with confidence intervals."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
        languages=f"{RESULTS}/corpus/languages.parquet",
        samples=expand(f"{RESULTS}/samples/{{model}}.parquet", model=MODELS),
        losses=expand(f"{RESULTS}/models/{{model}}/test_losses.parquet", model=MODELS),
        cards=expand(f"{RESULTS}/classifiers/{{classifier}}/card.json", classifier=CLASSIFIERS),
        scores=expand(
            f"{RESULTS}/scores/{{classifier}}/{{subset}}.parquet",
            classifier=CLASSIFIERS,
            subset=["texts", "samples"],
        ),
    output:
        expand(f"{RESULTS}/statistics/{{table}}.parquet", table=STATISTICS),
    log:
        f"{LOGS}/compute_statistics.log",
    resources:
        **asks(1500, minutes=60, megabytes_per_input=10),
    params:
        settings=options(config["statistics"]),
        samples=lambda wildcards, input: paths(input.samples),
        losses=lambda wildcards, input: paths(input.losses),
        classifiers=paths(f"{RESULTS}/classifiers/{name}" for name in CLASSIFIERS),
        scores=lambda wildcards, output: str(Path(output[0]).parents[1] / "scores"),
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/statistics",
        seed=stage_seed("statistics"),
        code=code_digest("statistics.compute_statistics"),
    message:
        "Computing the statistics"
    shell:
        "exec python -m samizdat.statistics.compute_statistics {params.settings} --texts={input.texts:q} --languages={input.languages:q}"
        " --samples={params.samples} --losses={params.losses} --classifiers={params.classifiers} --scores={params.scores:q} --out={params.out:q} --seed={params.seed:q}"
        " --work={params.work:q} --log={log:q} --title=statistics"


rule judge_samples:
    """Compare the samples with held-out texts: diversity, copies, closeness."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
        samples=expand(f"{RESULTS}/samples/{{model}}.parquet", model=MODELS),
    output:
        quality=f"{RESULTS}/statistics/sample_quality.parquet",
        copies=f"{RESULTS}/statistics/copies.parquet",
    log:
        f"{LOGS}/judge_samples.log",
    threads: config["threads"]
    resources:
        **asks(3000, minutes=60, megabytes_per_input=6),
        **GPU,
    params:
        settings=options(config["sample_quality"] | config["statistics"]),
        encoder=verbatim(state_of_folder(config["sample_quality"]["encoder"])),
        samples=lambda wildcards, input: paths(input.samples),
        work=f"{WORK}/sample_quality",
        device=config["device"],
        numeric_threads=config["threads"],
        seed=stage_seed("sample_quality"),
        code=code_digest("statistics.judge_samples"),
    message:
        "Judging the samples"
    shell:
        "exec python -m samizdat.statistics.judge_samples {params.settings} --texts={input.texts:q} --samples={params.samples}"
        " --quality={output.quality:q} --copies={output.copies:q} --device={params.device:q}"
        " --threads={params.numeric_threads:q} --seed={params.seed:q} --work={params.work:q} --log={log:q}"
        " --title='sample quality'"


rule measure_yardsticks:
    """Measure how well xz and an n-gram model predict the held-out texts, to compare the models with."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
    output:
        f"{RESULTS}/statistics/yardsticks.parquet",
    log:
        f"{LOGS}/measure_yardsticks.log",
    resources:
        **asks(2000, minutes=30, megabytes_per_input=4),
    params:
        work=f"{WORK}/yardsticks",
        code=code_digest("statistics.measure_yardsticks"),
    message:
        "Compressing the held-out texts"
    shell:
        "exec python -m samizdat.statistics.measure_yardsticks --texts={input.texts:q} --yardsticks={output:q}"
        " --work={params.work:q} --log={log:q} --title=yardsticks"


rule compare_with_raters:
    """Compare classifiers and samples with what raters said of drawn texts."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
        samples=expand(f"{RESULTS}/samples/{{model}}.parquet", model=MODELS),
        cards=expand(f"{RESULTS}/classifiers/{{classifier}}/card.json", classifier=CLASSIFIERS),
        scores=expand(
            f"{RESULTS}/scores/{{classifier}}/{{subset}}.parquet",
            classifier=CLASSIFIERS,
            subset=["texts", "samples"],
        ),
        labels=HUMAN_LABELS,
    output:
        f"{RESULTS}/statistics/rater_quality.parquet",
    log:
        f"{LOGS}/compare_with_raters.log",
    resources:
        **asks(1500, minutes=30, megabytes_per_input=10),
    params:
        settings=options(config["statistics"]),
        samples=lambda wildcards, input: paths(input.samples),
        classifiers=paths(f"{RESULTS}/classifiers/{name}" for name in CLASSIFIERS),
        scores=lambda wildcards, output: str(Path(output[0]).parents[1] / "scores"),
        labels=paths(HUMAN_LABELS),
        contents=CONTENTS.of(HUMAN_LABELS),
        work=f"{WORK}/rater_quality",
        seed=stage_seed("rater_quality"),
        code=code_digest("statistics.compare_with_raters"),
    message:
        "Comparing with labels by people"
    shell:
        "exec python -m samizdat.statistics.compare_with_raters {params.settings} --texts={input.texts:q} --samples={params.samples}"
        " --classifiers={params.classifiers} --scores={params.scores:q} --labels={params.labels} --quality={output:q}"
        " --seed={params.seed:q} --work={params.work:q} --log={log:q} --title='labels by people'"
