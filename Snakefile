"""From a corpus to a published report: includes the rules, computes nothing itself."""

from snakemake.utils import min_version

from samizdat.base.hardware import announce_unused_gpu
from samizdat.base.snakemake_log import quieten_snakemake
from samizdat.runs.announce import announce_results

min_version("9.13")
quieten_snakemake()


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/samples.smk"
include: "workflow/rules/classifiers.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/publishing.smk"


# A limit for steps that use the GPU of this machine; a cluster divides its own.
resource_scopes:
    gpu_turn="local",


rule all:
    """Make every file of the run: the executed notebook, the page, and all that they depend on."""
    default_target: True
    input:
        OUTPUTS,


onstart:
    set_aside(file for file in DAMAGED if file in REPORTS)
    if workflow.local_exec:
        announce_unused_gpu(config["device"])
    else:
        begin_on_cluster()


onsuccess:
    announce_results(Path(RESULTS, "report"), config)
    SUBMITTED.end()


onerror:
    SUBMITTED.end()
