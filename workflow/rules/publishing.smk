# reads:  results/<run>/manifest.json and what it lists, report/
# writes: results/<run>/report/quarto.ipynb, report.ipynb, report.html, report.pdf; with `play` play.html


rule execute_report:
    """Execute the notebook that the page is rendered from, and make the plain one that is handed in."""
    input:
        document=nameable([own("report/index.qmd")]),
        notes=nameable([config["notes"]]),
        manifest=f"{RESULTS}/manifest.json",
        artefacts=ARTEFACTS,
    output:
        notebook=f"{RESULTS}/report/quarto.ipynb",
        plain=f"{RESULTS}/report/report.ipynb",
    log:
        f"{LOGS}/execute_report.log",
    group:
        "report"
    resources:
        **asks(2000, minutes=30, megabytes_per_input=4),
    params:
        run=lambda wildcards, input: folder_of(input.manifest),
        document=untracked(verbatim(own("report/index.qmd"))),
        notes=options({"notes": config["notes"]}),
        contents=CONTENTS.of([own("report/index.qmd"), config["notes"]]),
        work=f"{WORK}/report",
        numeric_threads=config["threads"],
        code=[code_digest("publishing.execute_report"), code_digest("reporting")],
        words=catalogue_digest(config["report_language"]),
    message:
        "Executing the notebook"
    shell:
        "exec python -m samizdat.publishing.execute_report --document={params.document:q} {params.notes} --run={params.run:q}"
        " --notebook={output.notebook:q} --plain={output.plain:q} --threads={params.numeric_threads:q} --work={params.work:q} --log={log:q} --title=notebook"


LOOK = sorted(
    str(file)
    for pattern in ["*.*css", "*.js", "*.lua", "scripts.html", "quarto.html", "vendor/*.js"]
    for file in Path(own("report")).glob(pattern)
)


rule render_report:
    """Render the page from the executed notebook."""
    input:
        notebook=f"{RESULTS}/report/quarto.ipynb",
        look=nameable([own("report/_quarto.yml"), *LOOK]),
    output:
        f"{RESULTS}/report/report.html",
    log:
        f"{LOGS}/render_report.log",
    group:
        "report"
    resources:
        **asks(2000, minutes=30, megabytes_per_input=4),
    params:
        project=untracked(verbatim(own("report"))),
        contents=CONTENTS.of([own("report/_quarto.yml"), *LOOK]),
        work=f"{WORK}/page",
        code=code_digest("publishing.render_report"),
        words=catalogue_digest(config["report_language"]),
    message:
        "Rendering the page"
    shell:
        "exec python -m samizdat.publishing.render_report --notebook={input.notebook:q} --project={params.project:q} --page={output:q}"
        " --work={params.work:q} --log={log:q} --title=page"


rule render_pdf:
    """Write the executed notebook as a PDF."""
    input:
        f"{RESULTS}/report/quarto.ipynb",
    output:
        f"{RESULTS}/report/report.pdf",
    log:
        f"{LOGS}/render_pdf.log",
    group:
        "report"
    resources:
        **asks(2000, minutes=30, megabytes_per_input=4),
    params:
        work=f"{WORK}/pdf",
        code=code_digest("publishing.render_pdf"),
        words=catalogue_digest(config["report_language"]),
    message:
        "Writing the PDF"
    shell:
        "exec python -m samizdat.publishing.render_pdf --notebook={input:q} --pdf={output:q}"
        " --work={params.work:q} --log={log:q} --title=PDF"


PLAY_LOOK = [
    own(f"report/{file}")
    for file in ["page.css", "words.js", *(f"play/play.{kind}" for kind in ["html", "css", "js"]), "play/worker.js"]
]


rule write_play:
    """Write a page in which a model runs."""
    input:
        rounded=ROUNDED,
        tokenizer=f"{RESULTS}/models/{PLAYED}/tokenizer.json",
        look=nameable(PLAY_LOOK),
    output:
        f"{RESULTS}/report/play.html",
    log:
        f"{LOGS}/write_play.log",
    resources:
        **asks(2000, minutes=30, megabytes_per_input=10),
    params:
        texts=options(
            {
                "name": PLAYED,
                "title_of_run": config["title"],
                "language": config["language"],
                "report_language": config["report_language"],
                "beginning": next(filter(None, config["prompts"]), ""),
                "sampling": {
                    "temperature": config["sampling"]["temperatures"][0],
                    "topK": config["sampling"]["top_k"],
                    "topP": config["sampling"]["top_p"],
                    "penalty": config["sampling"]["repetition_penalty"],
                },
            }
        ),
        rounded=lambda wildcards, input: folder_of(input.rounded[0]),
        look=untracked(verbatim(own("report"))),
        contents=CONTENTS.of(PLAY_LOOK),
        work=f"{WORK}/play",
        words=catalogue_digest(config["report_language"]),
        code=code_digest("publishing.write_play"),
    message:
        "Writing the page with the model"
    shell:
        "exec python -m samizdat.publishing.write_play {params.texts} --rounded={params.rounded:q} --tokenizer={input.tokenizer:q}"
        " --look={params.look:q} --page={output:q} --work={params.work:q} --log={log:q} --title='page with the model'"
