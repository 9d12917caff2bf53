# reads:  results/<run>/corpus/texts.parquet
# writes: results/<run>/tokenizers/<tokenizer>/, results/<run>/models/<model>/


rule make_tokenizer:
    """A vocabulary, and the corpus in its tokens."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
        archive=lambda wildcards: vocabulary_archive(wildcards.tokenizer),
    output:
        expand(
            f"{RESULTS}/tokenizers/{{{{tokenizer}}}}/{{file}}",
            file=ENCODED,
        ),
    log:
        f"{LOGS}/make_tokenizer/{{tokenizer}}.log",
    params:
        settings=lambda wildcards: options(configuration.tokenizer_settings(config, wildcards.tokenizer)),
        archive=lambda wildcards, input: input.get("archive") or "null",
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/tokenizers/{{tokenizer}}",
        code=code_digest("models.make_tokenizer"),
    message:
        "Making the tokenizer {wildcards.tokenizer}"
    shell:
        "python -m samizdat.models.make_tokenizer {params.settings} --texts={input.texts:q} --archive={params.archive:q}"
        " --out={params.out:q} --work={params.work:q} --log={log:q} --title='tokenizer '{wildcards.tokenizer:q}"


# The checkpoints on the way differ from model to model, so each model has a rule of its own.
for name in MODELS:

    rule:
        """A GPT-2 trained on the train split, with checkpoints along the way."""
        name:
            f"train_model_{name}"
        input:
            expand(
                f"{RESULTS}/tokenizers/{MODELS[name]['tokenizer']}/{{file}}",
                file=ENCODED,
            ),
        output:
            model_outputs(name),
        log:
            f"{LOGS}/train_model/{name}.log",
        threads: config["threads"]
        resources:
            gpu=GPU,
        params:
            program=training_program(name),
            model=name,
            settings=options(configuration.model_settings(config, name)),
            tokenizer=lambda wildcards, input: folder_of(input[0]),
            out=lambda wildcards, output: folder_of(output[0]),
            work=f"{WORK}/models/{name}",
            device=config["device"],
            numeric_threads=config["threads"],
            seed=stage_seed("training", name),
            code=code_digest("models.train_model"),
        message:
            f"Training the model {name}"
        shell:
            "python -m {params.program:q} {params.settings} --name={params.model:q} --tokenizer={params.tokenizer:q}"
            " --out={params.out:q} --work={params.work:q} --device={params.device:q} --threads={params.numeric_threads:q}"
            " --seed={params.seed:q} --log={log:q} --title='model '{params.model:q}"
