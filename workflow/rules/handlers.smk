# What is done before the first and after the last job, also where another Snakefile uses the workflow as a module.

from samizdat.base.hardware import announce_unused_gpu
from samizdat.runs.announce import announce_results
from samizdat.runs.cluster import fetch_checkpoints
from samizdat.runs.cluster_log import tell_of_jobs
from samizdat.runs.damage import set_aside
from samizdat.runs.look_ahead import look_ahead
from samizdat.runs.module import call_too
from samizdat.runs.only_start import be_the_only_start

# What a person may have edited.
PAGES = [*REPORTS, f"{RESULTS}/report/play.html"]


def begin():
    """Before the first job: refuse a second start or a wrong checkpoint, keep what a person edited, end what is left."""
    try:
        be_the_only_start(Path(WORK))
        if workflow.local_exec:
            SUBMITTED.end_orphans()
        else:
            SUBMITTED.begin()
        if not workflow.local_exec:
            fetch_checkpoints(config)
        look_ahead(config, workflow.dag.needrun_jobs())
    except UserError as error:
        refuse(error)
    set_aside(file for file in DAMAGED if file in PAGES)
    if workflow.local_exec:
        announce_unused_gpu(config["device"])
    else:
        tell_of_jobs(workflow, SUBMITTED)


def succeed():
    """After the last job: say where the report is, unless this start was for other files: then it may be an old one."""
    if {file for job in workflow.dag.jobs for file in job.output}.issuperset(REPORTS):
        announce_results(Path(RESULTS, "report"), config)
    SUBMITTED.end()


onstart:
    begin()


onsuccess:
    succeed()


onerror:
    SUBMITTED.end()


if IS_MODULE:
    call_too(workflow, onstart=begin, onsuccess=succeed, onerror=SUBMITTED.end)
