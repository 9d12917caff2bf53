# reads:  everything above, report/index.qmd, report/notes.md
# writes: results/<run>/manifest.json, report/report.ipynb, report/report.html, provenance.json

ARCHIVES = sorted({file for name in TOKENIZERS for file in vocabulary_archive(name)} | set(corpus_archive()))
ARTEFACTS = [
    f"{RESULTS}/corpus/texts.parquet",
    f"{RESULTS}/corpus/summary.json",
    *expand(
        f"{RESULTS}/tokenizers/{{name}}/{{file}}",
        name=TOKENIZERS,
        file=["tokenizer.json", "summary.json"],
    ),
    *(file for name in MODELS for file in model_outputs(name)),
    *expand(f"{RESULTS}/samples/{{name}}.parquet", name=MODELS),
    *expand(
        f"{RESULTS}/classifiers/{{name}}/{{file}}",
        name=CLASSIFIERS,
        file=CLASSIFIER_FILES,
    ),
    *expand(
        f"{RESULTS}/scores/{{name}}/{{subset}}.parquet",
        name=CLASSIFIERS,
        subset=["texts", "samples"],
    ),
    *expand(
        f"{RESULTS}/statistics/{{table}}.parquet",
        table=[*STATISTICS, "sample_quality", "copies"],
    ),
]


rule write_config:
    """The config as it was used, overlays merged."""
    output:
        f"{RESULTS}/config.json",
    log:
        f"{LOGS}/write_config.log",
    params:
        config=verbatim(shlex.quote(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False))),
    message:
        "Recording the config"
    shell:
        "printf '%s\\n' {params.config} > {output:q} 2> {log:q}"


rule draw_rules:
    """Which step follows which, as Snakemake sees it."""
    input:
        f"{RESULTS}/config.json",
    output:
        f"{RESULTS}/rules.dot",
    log:
        f"{LOGS}/draw_rules.log",
    params:
        code=lambda wildcards: rules_digest(),
    message:
        "Drawing the rule graph"
    shell:
        "python -m snakemake --rulegraph dot --configfile {input:q} --cores 1 --nolock > {output:q} 2> {log:q}"


rule write_manifest:
    """Config, versions and the hash of everything that the report depends on."""
    input:
        config=f"{RESULTS}/config.json",
        rules=f"{RESULTS}/rules.dot",
        files=nameable(CORPUS_FILES),
        archives=ARCHIVES,
        artefacts=ARTEFACTS,
        notes=nameable([config["notes"]]),
    output:
        f"{RESULTS}/manifest.json",
    log:
        f"{LOGS}/write_manifest.log",
    params:
        artefacts=lambda wildcards, input: paths(input.artefacts),
        archives=lambda wildcards, input: paths(input.archives),
        root=lambda wildcards, output: folder_of(output[0]),
        notes=options({"notes": config["notes"]}),
        unnameable=hashes_of_unnameable([*CORPUS_FILES, config["notes"]]),
        work=f"{WORK}/manifest",
        code=code_digest("runs.write_manifest"),
    message:
        "Writing the manifest"
    shell:
        "python -m samizdat.runs.write_manifest --run-config={input.config:q} --rulegraph={input.rules:q} --artefacts={params.artefacts}"
        " --archives={params.archives} --root={params.root:q} {params.notes} --manifest={output:q}"
        " --work={params.work:q} --log={log:q} --title=manifest"


rule execute_report:
    """The notebook, executed once: what is submitted and what is rendered."""
    input:
        document="report/index.qmd",
        notes=nameable([config["notes"]]),
        manifest=f"{RESULTS}/manifest.json",
        artefacts=ARTEFACTS,
    output:
        f"{RESULTS}/report/report.ipynb",
    log:
        f"{LOGS}/execute_report.log",
    params:
        run=lambda wildcards, input: folder_of(input.manifest),
        notes=options({"notes": config["notes"]}),
        unnameable=hashes_of_unnameable([config["notes"]]),
        work=f"{WORK}/report",
        numeric_threads=config["threads"],
        code=[code_digest("publishing.execute_report"), code_digest("reporting")],
    message:
        "Executing the notebook"
    shell:
        "python -m samizdat.publishing.execute_report --document={input.document:q} {params.notes} --run={params.run:q}"
        " --notebook={output:q} --threads={params.numeric_threads:q} --work={params.work:q} --log={log:q} --title=notebook"


LOOK = sorted(
    str(file)
    for pattern in ["*.*css", "*.js", "scripts.html", "quarto.html", "vendor/*.js"]
    for file in Path("report").glob(pattern)
)


rule render_report:
    """The page, from the executed notebook."""
    input:
        notebook=f"{RESULTS}/report/report.ipynb",
        look=["report/_quarto.yml", *LOOK],
    output:
        f"{RESULTS}/report/report.html",
    log:
        f"{LOGS}/render_report.log",
    params:
        project=lambda wildcards, input: folder_of(input.look[0]),
        work=f"{WORK}/page",
        code=code_digest("publishing.render_report"),
    message:
        "Rendering the page"
    shell:
        "python -m samizdat.publishing.render_report --notebook={input.notebook:q} --project={params.project:q} --page={output:q}"
        " --work={params.work:q} --log={log:q} --title=page"


rule write_provenance:
    """Hashes of the report, machine, devices and durations: last of all, read by nothing."""
    input:
        f"{RESULTS}/report/report.ipynb",
        f"{RESULTS}/report/report.html",
        manifest=f"{RESULTS}/manifest.json",
    output:
        f"{RESULTS}/provenance.json",
    log:
        f"{LOGS}/write_provenance.log",
    params:
        reports=lambda wildcards, input: paths(input[:2]),
        run_work=WORK,
        work=f"{WORK}/provenance",
        code=code_digest("runs.write_provenance"),
    message:
        "Writing the provenance"
    shell:
        "python -m samizdat.runs.write_provenance --reports={params.reports} --manifest={input.manifest:q} --run-work={params.run_work:q}"
        " --provenance={output:q} --work={params.work:q} --log={log:q} --title=provenance"
