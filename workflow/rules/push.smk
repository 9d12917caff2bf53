# reads:  results/<run>/models/<model>/, the summaries of its tokenizer and of the corpus
# writes: work/<run>/push/<model>/pushed.json, and a commit on the Hugging Face Hub; no target asks for it by itself

PUSHED = config["push"]["model"] or next(iter(MODELS))


rule push:
    """The model of push.model on the Hub."""
    input:
        f"{WORK}/push/{PUSHED}/pushed.json",


rule push_model:
    """A commit on the Hub with weights, tokenizer and card."""
    input:
        model=lambda wildcards: model_outputs(wildcards.model),
        tokenizer=lambda wildcards: f"{RESULTS}/tokenizers/{MODELS[wildcards.model]['tokenizer']}/summary.json",
        corpus=f"{RESULTS}/corpus/summary.json",
    output:
        f"{WORK}/push/{{model}}/pushed.json",
    log:
        f"{LOGS}/push_model/{{model}}.log",
    params:
        settings=options({key: config["push"][key] for key in ("repository", "private")}),
        model=lambda wildcards, input: folder_of(input.model[0]),
        run=options({"title_of_run": config["title"], "language": config["language"]}),
        training=lambda wildcards: options({"training": configuration.model_settings(config, wildcards.model)}),
        work=f"{WORK}/push/{{model}}",
        code=code_digest("models.push_model"),
    message:
        "Pushing the model {wildcards.model}"
    shell:
        "python -m samizdat.models.push_model {params.settings} --model={params.model:q} --tokenizer={input.tokenizer:q}"
        " --corpus={input.corpus:q} {params.run} {params.training} --record={output:q} --work={params.work:q} --log={log:q}"
        " --title='push '{wildcards.model:q}"
