"""From a corpus to a published report: includes the rules, computes nothing itself."""

from snakemake.utils import min_version

from samizdat.base.project import own
from samizdat.base.snakemake_log import quieten_snakemake

min_version("9.13")
IS_MODULE = not workflow.modifier.is_main_snakefile()  # of another Snakefile
if not IS_MODULE:
    quieten_snakemake()


configfile: own("config/config.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/samples.smk"
include: "workflow/rules/classifiers.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/publishing.smk"
include: "workflow/rules/handlers.smk"


# A limit for steps that use the GPU of this machine; a cluster divides its own.
resource_scopes:
    gpu_turn="local",


rule all:
    """Make every file of the run: the executed notebook, the page, and all that they depend on."""
    default_target: True
    input:
        OUTPUTS,
