"""A paper in Word's format that prints on A4 and looks like an official document. Only this module calls python-docx.

The same calls give the same bytes. Keep out: what a paper says.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from types import TracebackType
from typing import Any

from youjun_pipeline.reports.evaluation import Evaluation
from youjun_pipeline.reports.words import NOTHING
from youjun_pipeline.reports.workbook import harmless

# Sizes of an official document in points (GB/T 9704); tables are one size smaller.
_BODY, _SMALL, _TITLE = 14, 10, 20
_RED, _GREY = (0xC0, 0, 0), "EDEDED"
_FACES = {"body": "仿宋", "heading": "黑体", "sub": "楷体", "table": "宋体"}
_NUMBER = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?%?")
# The width of A4 without the margins, in millimetres.
TEXT_WIDTH = 156


class Document:
    """A paper about one evaluation; use it as a context: it is written at the end of the block.

    The foot of every page says what the paper is about, and whether its data are made up.
    """

    def __init__(self, path: Path, evaluation: Evaluation, title: str) -> None:
        import docx  # not at the top: the definitions name the reports and load nothing that writes them
        from docx.shared import Mm, Pt

        self.path, self.evaluation = path, evaluation
        self.file: Any = docx.Document()
        section = self.file.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.top_margin, section.bottom_margin = Mm(32), Mm(28)
        normal = self.file.styles["Normal"]
        normal.font.size = Pt(_BODY)
        _face(normal, "body")
        properties, day = self.file.core_properties, datetime.combine(evaluation.effective_on, time())
        properties.title, properties.author = harmless(title), harmless(evaluation.district_name)
        properties.created = properties.modified = day
        properties.comments = properties.last_modified_by = ""
        self._foot(section, title)

    def __enter__(self) -> Document:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._save()

    def masthead(self, text: str, line: str) -> None:
        """The red head of a bulletin, with a line between rules under it."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN

        self._run(self._paragraph(ALIGN.CENTER, after=6), text, 36, "heading", bold=True, colour=_RED)
        paragraph = self._paragraph(ALIGN.CENTER, after=18)
        self._run(paragraph, line, _BODY, "sub")
        _rule(paragraph)

    def title(self, text: str) -> None:
        """The title, and below it the most important notice for a reader."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN

        self._run(self._paragraph(ALIGN.CENTER, before=6, after=12), text, _TITLE, "heading", bold=True)
        if notice := self.evaluation.notice("本文"):
            paragraph = self._paragraph(ALIGN.CENTER, after=8)
            self._run(paragraph, notice, 12, "heading", bold=True, colour=_RED)

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of the first (一、) or second level (（一）); it stays on the page of the following text."""
        paragraph = self._paragraph(before=8, after=2, indent=True)
        paragraph.paragraph_format.keep_with_next = True
        self._run(paragraph, text, _BODY + 1 if level == 1 else _BODY, "heading" if level == 1 else "sub")

    def text(self, *paragraphs: str) -> None:
        """Running text; a line break begins a paragraph, blank paragraphs are left out."""
        for text in "\n".join(paragraphs).splitlines():
            if text.strip():
                self._run(self._paragraph(indent=True), text.strip(), _BODY, "body")

    def note(self, text: str) -> None:
        """A note in small print."""
        self._run(self._paragraph(after=6), text, _SMALL, "table")

    def right(self, *lines: str) -> None:
        """Right-aligned lines: who signs, and the day."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN

        for line in lines:
            self._run(self._paragraph(ALIGN.RIGHT, before=6), line, _BODY, "body")

    def page_break(self) -> None:
        """Begin a new page."""
        self.file.add_page_break()

    def table(
        self, caption: str, headings: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[float]
    ) -> None:
        """A table under its caption: the header is repeated on every page, and no row is split between pages.

        Numbers are aligned right, texts left; `widths` are shares of the width. A table without rows says so.
        """
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
        from docx.shared import Mm

        paragraph = self._paragraph(ALIGN.CENTER, before=8, after=3)
        paragraph.paragraph_format.keep_with_next = True
        self._run(paragraph, caption, _SMALL + 1, "heading")
        if not rows:
            self._run(self._paragraph(ALIGN.CENTER, after=6), "没有", _SMALL, "table")
            return
        table = self.file.add_table(rows=1 + len(rows), cols=len(headings), style="Table Grid")
        table.autofit = False
        sizes = [Mm(TEXT_WIDTH * share / sum(widths)) for share in widths]
        for column, size in zip(table.columns, sizes, strict=True):
            column.width = size
        for line, values in zip(table.rows, [headings, *rows], strict=True):
            _whole(line, is_head=values is headings)
            # the library collects a row's cells again at each access
            for cell, value, size in zip(line.cells, values, sizes, strict=True):
                cell.width = size
                self._cell(cell, value, is_head=values is headings)
        self._paragraph(after=2)

    def _cell(self, cell: Any, value: object, *, is_head: bool) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls
        from docx.shared import Pt

        text = NOTHING if value is None or value == "" else str(value)
        is_number = _NUMBER.fullmatch(text) is not None
        paragraph = cell.paragraphs[0]
        shape = paragraph.paragraph_format
        shape.space_before = shape.space_after = Pt(2)
        shape.line_spacing = 1.1
        paragraph.alignment = ALIGN.CENTER if is_head else ALIGN.RIGHT if is_number else ALIGN.LEFT
        self._run(paragraph, text, _SMALL, "table", bold=is_head)
        if is_head:
            # keeps a header on the page of the row below it
            shape.keep_with_next = True
            cell._tc.get_or_add_tcPr().append(
                parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="{_GREY}"/>')
            )

    def _paragraph(
        self, align: Any = None, before: float = 0, after: float = 0, *, indent: bool = False
    ) -> Any:
        from docx.shared import Pt

        paragraph = self.file.add_paragraph()
        shape = paragraph.paragraph_format
        shape.space_before, shape.space_after, shape.line_spacing = Pt(before), Pt(after), 1.4
        if indent:
            shape.first_line_indent = Pt(2 * _BODY)
        if align is not None:
            paragraph.alignment = align
        return paragraph

    def _run(
        self,
        paragraph: Any,
        text: str,
        size: float,
        face: str,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] | None = None,
    ) -> None:
        from docx.shared import Pt, RGBColor

        run = paragraph.add_run(harmless(text))
        run.font.size, run.bold = Pt(size), bold
        _face(run, face)
        if colour:
            run.font.color.rgb = RGBColor(*colour)

    def _foot(self, section: Any, title: str) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN

        evaluation, paragraph = self.evaluation, section.footer.paragraphs[0]
        paragraph.alignment = ALIGN.CENTER
        about = f"{evaluation.district_name} {evaluation.phase_name} {title}　第 "
        self._run(paragraph, about, 9, "table")
        _page_number(paragraph)
        notice = evaluation.notice("本文")
        self._run(paragraph, f" 页　{notice}" if notice else " 页", 9, "table")

    def _save(self) -> None:
        """Write the archive with one date on all its parts, because the library uses the time of writing."""
        buffer = io.BytesIO()
        self.file.save(buffer)
        with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(self.path, "w") as out:
            for part in made.infolist():
                entry = zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(entry, made.read(part))


def _face(of: Any, face: str) -> None:
    """Set the typeface for both Chinese and Latin letters."""
    from docx.oxml.ns import qn

    name = _FACES[face]
    of.font.name = name
    of.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)


def _whole(row: Any, *, is_head: bool) -> None:
    """Keep a row of a table on one page; a header is repeated on each page."""
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if is_head:
        properties.append(OxmlElement("w:tblHeader"))


def _page_number(paragraph: Any) -> None:
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    field = f'<w:fldSimple {nsdecls("w")} w:instr="PAGE"><w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'
    paragraph._p.append(parse_xml(field))


def _rule(paragraph: Any) -> None:
    """A red rule under a paragraph."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    border = (
        f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="12" w:space="4" w:color="C00000"/></w:pBdr>'
    )
    paragraph._p.get_or_add_pPr().append(parse_xml(border))
