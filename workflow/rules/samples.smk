# reads:  results/<run>/models/<model>/, held-out texts
# writes: results/<run>/samples/<model>.parquet


rule generate_samples:
    """Texts that a model wrote, from the published weights and from the checkpoints on the way."""
    input:
        model=lambda wildcards: model_outputs(wildcards.model),
        texts=f"{RESULTS}/corpus/texts.parquet",
    output:
        f"{RESULTS}/samples/{{model}}.parquet",
    log:
        f"{LOGS}/generate_samples/{{model}}.log",
    threads: config["threads"]
    resources:
        gpu=GPU,
    params:
        settings=options(config["sampling"]),
        prompts=options({"prompts": config["prompts"]}),
        percents=lambda wildcards: options({"percents": [*EARLY_PERCENTS[wildcards.model], 100]}),
        model=lambda wildcards, input: folder_of(input.model[0]),
        work=f"{WORK}/samples/{{model}}",
        device=config["device"],
        numeric_threads=config["threads"],
        seed=stage_seed("generation"),
        code=code_digest("generation"),
    message:
        "Generating samples with {wildcards.model}"
    shell:
        "python -m samizdat.generation {params.settings} --name={wildcards.model} {params.prompts} {params.percents}"
        " --model={params.model} --texts={input.texts} --samples={output} --device={params.device}"
        " --threads={params.numeric_threads} --seed={params.seed} --work={params.work} --log={log}"
        " --title='samples {wildcards.model}'"
