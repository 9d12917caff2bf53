"""Letters that figures lack: the step says so, and looks again the next time."""

from pathlib import Path

from samizdat.publishing.execute_report import execute_report
from samizdat.publishing.missing_letters import which_scripts

PICTURE = """
```{python}
#| label: fig-a
#| fig-cap: "A caption"
from samizdat.reporting.style import drawing

with drawing("A title", 2) as (picture, (axis,)):
    axis.barh(["\\u0378"], [1])
picture
```
"""


def test_scripts_and_packages_are_named():
    said = which_scripts("中文あ한😀ग\u0e01\u0378", Path("report.pdf"))
    for name in ("Han (中文)", "Hiragana (あ)", "Hangul (한)", "emoji (😀)", "Devanagari (ग)", "Thai"):
        assert name in said
    packages = "fonts-noto-cjk fonts-noto-color-emoji fonts-noto-core"
    assert said.endswith(f"install {packages}, delete report.pdf, and run the same command again")
    assert which_scripts("\u0378\ue000", Path("report.pdf")) == "unknown to Unicode (\u0378\ue000)"  # nothing helps


def test_figures_with_boxes_are_told_and_drawn_again_as_a_font_may_have_been_installed(project):
    project.write("report/index.qmd", project.document.read_text(encoding="utf-8") + PICTURE)
    for _ in range(2):
        said = execute_report(
            project.document, project.notes, project.run, project.notebook, project.plain, project.work, threads=1
        )
        assert "executed; figures have boxes instead of letters that no font has: " in said
        assert said.endswith("unknown to Unicode (\u0378)")
