"""Small .xlsx files, as spreadsheet programs write them."""

import datetime
import io
import zipfile
from xml.sax.saxutils import escape

Cell = str | float | bool | datetime.date | None
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/styles.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>'
)
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
# The second format of cells is a date.
_STYLES = (
    f"<styleSheet {_MAIN}><fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>"
    '<cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
)


class Raw(str):
    """A cell from its attributes on, as it is in the file, such as `t="e"><v>#N/A</v>`."""


def workbook(sheets: dict[str, list[list[Cell]]], merged: tuple[str, ...] = ()) -> bytes:
    """Write sheets (name → rows) as an .xlsx file; in each of them the same cells are merged, such as `B2:B3`."""
    merges = f"<mergeCells>{''.join(f'<mergeCell ref={cells!r}/>' for cells in merged)}</mergeCells>" if merged else ""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        relation = f'<Relationship Id="r" Type="{_KINDS}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>')
        named = "".join(
            f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"/>'
            for number, name in enumerate(sheets, start=1)
        )
        archive.writestr("xl/workbook.xml", f'<workbook {_MAIN} xmlns:r="{_KINDS}"><sheets>{named}</sheets></workbook>')
        related = "".join(
            f'<Relationship Id="r{number}" Type="{_KINDS}/worksheet" Target="worksheets/s{number}.xml"/>'
            for number in range(1, len(sheets) + 1)
        )
        related += f'<Relationship Id="styles" Type="{_KINDS}/styles" Target="styles.xml"/>'
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_RELATIONS}">{related}</Relationships>')
        archive.writestr("xl/styles.xml", _STYLES)
        for number, rows in enumerate(sheets.values(), start=1):
            cells = ""
            for row, values in enumerate(rows, start=1):
                filled = (_cell(value, f"{chr(64 + column)}{row}") for column, value in enumerate(values, start=1))
                cells += f'<row r="{row}">{"".join(filled)}</row>'
            archive.writestr(
                f"xl/worksheets/s{number}.xml",
                f"<worksheet {_MAIN}><sheetData>{cells}</sheetData>{merges}</worksheet>",
            )
    return file.getvalue()


def _cell(value: Cell, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Raw):
        return f'<c r="{place}" {value}</c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime.date):
        return f'<c r="{place}" s="1"><v>{(value - datetime.date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    text = escape(value)
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
