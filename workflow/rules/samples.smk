# reads:  results/<run>/models/<model>/, the corpus
# writes: results/<run>/samples/<model>.parquet

from samizdat.runs.cluster import sampling_memory_mb


rule generate_samples:
    """Generate texts with a model, from the published weights and from earlier checkpoints."""
    input:
        model=lambda wildcards: model_outputs(wildcards.model),
        texts=f"{RESULTS}/corpus/texts.parquet",
    output:
        f"{RESULTS}/samples/{{model}}.parquet",
    log:
        f"{LOGS}/generate_samples/{{model}}.log",
    threads: config["threads"]
    resources:
        **asks(
            lambda wildcards: sampling_memory_mb(
                configuration.model_settings(config, wildcards.model),
                config["sampling"],
                vocabulary_size(configuration.tokenizer_settings(config, MODELS[wildcards.model]["tokenizer"])),
                1 if GPU["gpu"](wildcards) else config["threads"],
            ),
            minutes=60,
            megabytes_per_input=4,
        ),
        **GPU,
    params:
        settings=options(config["sampling"]),
        prompts=options({"prompts": config["prompts"]}),
        percents=lambda wildcards: options({"percents": [*EARLY_PERCENTS[wildcards.model], 100]}),
        model=lambda wildcards, input: folder_of(input.model[0]),
        work=f"{WORK}/samples/{{model}}",
        device=config["device"],
        numeric_threads=config["threads"],
        seed=stage_seed("generation"),
        code=code_digest("samples.generate_samples"),
    message:
        "Generating samples with {wildcards.model}"
    shell:
        "exec python -m samizdat.samples.generate_samples {params.settings} --name={wildcards.model:q} {params.prompts} {params.percents}"
        " --model={params.model:q} --texts={input.texts:q} --samples={output:q} --device={params.device:q}"
        " --threads={params.numeric_threads:q} --seed={params.seed:q} --work={params.work:q} --log={log:q}"
        " --title='samples '{wildcards.model:q}"
