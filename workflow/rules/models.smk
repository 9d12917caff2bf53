# reads:  results/<run>/corpus/texts.parquet
# writes: results/<run>/tokenizers/<tokenizer>/, results/<run>/models/<model>/; with `inside` its inside/, with `play` its eight_bits/; on request a commit on the Hugging Face
#         Hub, recorded in work/<run>/push/<model>/pushed.json (no other rule needs it)


rule make_tokenizer:
    """Make a tokenizer, and encode the corpus with it."""
    input:
        texts=f"{RESULTS}/corpus/texts.parquet",
        archive=lambda wildcards: vocabulary_archive(wildcards.tokenizer),
    output:
        expand(f"{RESULTS}/tokenizers/{{{{tokenizer}}}}/{{file}}", file=ENCODED),
    log:
        f"{LOGS}/make_tokenizer/{{tokenizer}}.log",
    # Before a training: what it counts says whether the training is worth while.
    priority: 1
    resources:
        **asks(1500, minutes=30, megabytes_per_input=4),
    params:
        settings=lambda wildcards: options(configuration.tokenizer_settings(config, wildcards.tokenizer)),
        checkpoint=lambda wildcards: state_of_folder(
            configuration.tokenizer_settings(config, wildcards.tokenizer)["checkpoint"]
        ),
        archive=lambda wildcards, input: input.get("archive") or "null",
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/tokenizers/{{tokenizer}}",
        code=code_digest("models.make_tokenizer"),
    message:
        "Making the tokenizer {wildcards.tokenizer}"
    shell:
        "exec python -m samizdat.models.make_tokenizer {params.settings} --texts={input.texts:q} --archive={params.archive:q}"
        " --out={params.out:q} --work={params.work:q} --log={log:q} --title='tokenizer '{wildcards.tokenizer:q}"


# Each model has a rule of its own, because the earlier checkpoints, which are outputs, differ between models.
for name in MODELS:

    rule:
        """Train a GPT-2 on the train split, and keep checkpoints during training."""
        name:
            f"train_model_{name}"
        input:
            expand(f"{RESULTS}/tokenizers/{MODELS[name]['tokenizer']}/{{file}}", file=ENCODED),
        output:
            model_outputs(name),
        log:
            f"{LOGS}/train_model/{name}.log",
        threads: config["threads"]
        resources:
            **training_asks(name),
        params:
            program=training_program(name),
            model=name,
            settings=options(configuration.training_options(config, name)),
            states=untracked(options(configuration.state_options(config, name) | {"prompts": config["prompts"]})),
            checkpoint=verbatim(state_of_folder(configuration.model_settings(config, name)["checkpoint"])),
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
            "exec python -m {params.program:q} {params.settings} {params.states} --name={params.model:q} --tokenizer={params.tokenizer:q}"
            " --out={params.out:q} --work={params.work:q} --device={params.device:q} --threads={params.numeric_threads:q}"
            " --seed={params.seed:q} --log={log:q} --title='model '{params.model:q}"


# Of a model with several seeds the first training, which the report shows.
LOOKED = [item["name"] for item in config["models"]] if config["inside"] else []
INSIDE = expand(f"{RESULTS}/models/{{model}}/inside/{{table}}.parquet", model=LOOKED, table=LOOKS)


rule look_inside:
    """Compute what tokens cost a model, what it expects next, where its heads look, and where its bits are spent."""
    input:
        model=lambda wildcards: model_outputs(wildcards.model),
        texts=f"{RESULTS}/corpus/texts.parquet",
        samples=f"{RESULTS}/samples/{{model}}.parquet",
    output:
        expand(f"{RESULTS}/models/{{{{model}}}}/inside/{{table}}.parquet", table=LOOKS),
    log:
        f"{LOGS}/look_inside/{{model}}.log",
    threads: config["threads"]
    resources:
        **asks(3000, minutes=60, megabytes_per_input=10),
        **GPU,
    params:
        settings=options({"prompts": config["prompts"]} | config["statistics"]),
        model=lambda wildcards, input: folder_of(input.model[0]),
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/inside/{{model}}",
        device=config["device"],
        numeric_threads=config["threads"],
        seed=stage_seed("inside"),
        code=code_digest("models.look_inside"),
    message:
        "Looking inside {wildcards.model}"
    shell:
        "exec python -m samizdat.models.look_inside {params.settings} --model={params.model:q} --texts={input.texts:q} --samples={input.samples:q} --out={params.out:q}"
        " --device={params.device:q} --threads={params.numeric_threads:q} --seed={params.seed:q} --work={params.work:q} --log={log:q} --title='inside '{wildcards.model:q}"


# The model that runs in a page, and this page.
PLAYED = config["play"] or next(iter(MODELS))
ROUNDED = [
    f"{RESULTS}/models/{PLAYED}/eight_bits/{file}"
    for file in ["summary.json", *(f"{percent}.safetensors" for percent in KEPT[PLAYED])]
]
PLAY = [*ROUNDED, f"{RESULTS}/report/play.html"] if config["play"] else []


rule round_weights:
    """Round the weights of a model's checkpoints to eight bits, and measure what that costs."""
    input:
        model=model_outputs(PLAYED),
        tokens=expand(f"{RESULTS}/tokenizers/{MODELS[PLAYED]['tokenizer']}/{{file}}", file=ENCODED),
    output:
        ROUNDED,
    log:
        f"{LOGS}/round_weights.log",
    threads: config["threads"]
    resources:
        **asks(3000, minutes=60, megabytes_per_input=4),
        **GPU,
    params:
        model=PLAYED,
        folder=lambda wildcards, input: folder_of(input.model[0]),
        tokenizer=lambda wildcards, input: folder_of(input.tokens[0]),
        out=lambda wildcards, output: folder_of(output[0]),
        work=f"{WORK}/eight_bits",
        device=config["device"],
        numeric_threads=config["threads"],
        seed=stage_seed("eight_bits"),
        code=code_digest("models.round_weights"),
    message:
        "Rounding the weights of {params.model}"
    shell:
        "exec python -m samizdat.models.round_weights --name={params.model:q} --model={params.folder:q} --tokenizer={params.tokenizer:q}"
        " --out={params.out:q} --device={params.device:q} --threads={params.numeric_threads:q} --seed={params.seed:q}"
        " --work={params.work:q} --log={log:q} --title='eight bits'"


PUSHED = config["push"]["model"] or next(iter(MODELS))


rule push:
    """Push the model that `push.model` in the config names."""
    input:
        f"{WORK}/push/{PUSHED}/pushed.json",


rule push_model:
    """Commit weights, tokenizer and model card to a repository on the Hub."""
    input:
        model=lambda wildcards: model_outputs(wildcards.model),
        tokenizer=lambda wildcards: f"{RESULTS}/tokenizers/{MODELS[wildcards.model]['tokenizer']}/summary.json",
        corpus=f"{RESULTS}/corpus/summary.json",
    output:
        f"{WORK}/push/{{model}}/pushed.json",
    log:
        f"{LOGS}/push_model/{{model}}.log",
    localrule: True
    params:
        settings=options({key: config["push"][key] for key in ("repository", "private")}),
        model=lambda wildcards, input: folder_of(input.model[0]),
        run=options({"title_of_run": config["title"], "language": config["language"]}),
        training=lambda wildcards: options({"training": configuration.settings_of_weights(config, wildcards.model)}),
        work=f"{WORK}/push/{{model}}",
        code=code_digest("models.push_model"),
    message:
        "Pushing the model {wildcards.model}"
    shell:
        "exec python -m samizdat.models.push_model {params.settings} --model={params.model:q} --tokenizer={input.tokenizer:q}"
        " --corpus={input.corpus:q} {params.run} {params.training} --record={output:q} --work={params.work:q} --log={log:q}"
        " --title='push '{wildcards.model:q}"
