# reads:  every file that the report depends on, and the report
# writes: results/<run>/config.json, rules.dot, manifest.json, provenance.json

from samizdat.base.rule_params import digest_of_files
from samizdat.runs.damage import damaged, make_again

ARCHIVES = sorted({file for name in TOKENIZERS for file in vocabulary_archive(name)} | set(corpus_archive()))
ARTEFACTS = [
    f"{RESULTS}/corpus/texts.parquet",
    f"{RESULTS}/corpus/summary.json",
    f"{RESULTS}/corpus/languages.parquet",
    *expand(
        f"{RESULTS}/tokenizers/{{name}}/{{file}}",
        name=TOKENIZERS,
        file=["tokenizer.json", "summary.json"],
    ),
    *(file for name in MODELS for file in model_outputs(name)),
    *expand(f"{RESULTS}/samples/{{name}}.parquet", name=MODELS),
    *(file for name in CLASSIFIERS for file in classifier_files(name)),
    *expand(
        f"{RESULTS}/scores/{{name}}/{{subset}}.parquet",
        name=CLASSIFIERS,
        subset=["texts", "samples"],
    ),
    *expand(f"{RESULTS}/scores/{{name}}/accuracy_by_examples.parquet", name=FEW_SHOT),
    *expand(
        f"{RESULTS}/statistics/{{table}}.parquet",
        table=[*STATISTICS, "sample_quality", "copies", "yardsticks", "rater_quality"],
    ),
    *INSIDE,
    *PLAY,
]
# Every file of a run. A run makes again those that are missing, and those that are not what their step wrote.
OUTPUTS = [
    *ARTEFACTS,
    *expand(f"{RESULTS}/tokenizers/{{name}}/{{file}}", name=TOKENIZERS, file=ENCODED),
    *(f"{RESULTS}/{name}" for name in ("config.json", "rules.dot", "manifest.json", "provenance.json")),
    f"{RESULTS}/report/quarto.ipynb",
    *REPORTS,
]
# A job on another machine reads the rules again; its files are already checked.
try:
    MADE = dict.fromkeys(OUTPUTS if workflow.is_main_process else [])
    DAMAGED = damaged(MADE, ARCHIVES, Path(own("envs/archives.txt"))) if MADE else []
except UserError as error:
    refuse(error)
make_again(workflow, DAMAGED)


rule write_config:
    """Write the config that is used, with all overlays merged."""
    output:
        f"{RESULTS}/config.json",
    log:
        f"{LOGS}/write_config.log",
    localrule: True
    params:
        values=options({"values": config}),
        work=f"{WORK}/config",
        code=code_digest("runs.write_config"),
    message:
        "Recording the config"
    shell:
        "exec python -m samizdat.runs.write_config {params.values} --run-config={output:q} --work={params.work:q} --log={log:q}"
        " --title=config"


rule draw_rules:
    """Draw the rule graph: which rule follows which."""
    input:
        f"{RESULTS}/config.json",
    output:
        f"{RESULTS}/rules.dot",
    log:
        f"{LOGS}/draw_rules.log",
    localrule: True
    params:
        # The graph changes with every rule, and Snakemake does not see that this rule depends on the others.
        rules=lambda wildcards: digest_of_files(
            [Path(own("Snakefile")), *sorted(Path(own("workflow/rules")).glob("*.smk"))]
        ),
        work=f"{WORK}/rules",
        code=code_digest("runs.draw_rules"),
    message:
        "Drawing the rule graph"
    shell:
        "exec python -m samizdat.runs.draw_rules --run-config={input:q} --rulegraph={output:q} --work={params.work:q} --log={log:q}"
        " --title='graph of rules'"


rule write_manifest:
    """Write the manifest: config, versions, and the hashes of everything that the report depends on."""
    input:
        config=f"{RESULTS}/config.json",
        rules=f"{RESULTS}/rules.dot",
        files=nameable(CORPUS_FILES),
        labels=HUMAN_LABELS,
        archives=ARCHIVES,
        artefacts=ARTEFACTS,
        notes=nameable([config["notes"]]),
    output:
        f"{RESULTS}/manifest.json",
    log:
        f"{LOGS}/write_manifest.log",
    localrule: True
    params:
        artefacts=lambda wildcards, input: paths(input.artefacts),
        archives=lambda wildcards, input: paths(input.archives),
        root=lambda wildcards, output: folder_of(output[0]),
        notes=options({"notes": config["notes"]}),
        contents=CONTENTS.of([*CORPUS_FILES, *HUMAN_LABELS, config["notes"]]),
        work=f"{WORK}/manifest",
        code=code_digest("runs.write_manifest"),
    message:
        "Writing the manifest"
    shell:
        "exec python -m samizdat.runs.write_manifest --run-config={input.config:q} --rulegraph={input.rules:q} --artefacts=-"
        " --archives={params.archives} --root={params.root:q} {params.notes} --manifest={output:q}"
        " --work={params.work:q} --log={log:q} --title=manifest <<< {params.artefacts}"


rule write_provenance:
    """Write hashes of the report, machine, devices and durations; it runs last, and no rule reads its output."""
    input:
        reports=[f"{RESULTS}/report/quarto.ipynb", *REPORTS],
        manifest=f"{RESULTS}/manifest.json",
    output:
        f"{RESULTS}/provenance.json",
    log:
        f"{LOGS}/write_provenance.log",
    localrule: True
    params:
        reports=lambda wildcards, input: paths(input.reports),
        run_work=WORK,
        named=options(
            {
                "items": [*TOKENIZERS, *MODELS, *CLASSIFIERS],
                "switched_off": [
                    *([] if config["pdf"] else ["pdf"]),
                    *([] if config["inside"] else ["inside"]),
                    *([] if config["play"] else ["play", "eight_bits"]),
                    *(f"measure_examples/{name}" for name in CLASSIFIERS if name not in FEW_SHOT),
                ],
                "parts": SCORING_JOBS,
            }
        ),
        work=f"{WORK}/provenance",
        code=code_digest("runs.write_provenance"),
    message:
        "Writing the provenance"
    shell:
        "exec python -m samizdat.runs.write_provenance --reports={params.reports} --manifest={input.manifest:q} --run-work={params.run_work:q}"
        " {params.named} --provenance={output:q} --work={params.work:q} --log={log:q} --title=provenance"
