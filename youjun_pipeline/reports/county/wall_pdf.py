"""The wall map (挂图) as a PDF of one A0 page with embedded fonts; `youjun wall-pdf` makes it.

A refresh does not make it, because one sheet takes six seconds of CPU. Keep out: the drawing (`wall_sheet`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from youjun_pipeline.reports.county.wall_sheet import HEIGHT, TITLE, WIDTH

_POINTS = 72 / 25.4


class NoTypefaceError(Exception):
    """This machine has no Chinese typeface, so a PDF would show boxes; the message says what to do, in Chinese."""


def to_pdf(svg: str) -> bytes:
    """A sheet (`wall_sheet`, in millimetres) as a PDF of one A0 page; raises NoTypefaceError."""
    import vl_convert  # heavy, and needed here alone

    if not has_chinese_typeface():
        raise NoTypefaceError(
            "本机没有中文字体，不能生成 PDF：请安装一种（如 Debian 的 fonts-noto-cjk），或在有中文字体的电脑上用浏览器打印 SVG"
        )
    # The converter treats a pixel as a point.
    width, height = (f"{millimetres * _POINTS:.2f}" for millimetres in (WIDTH, HEIGHT))
    sized = svg.replace(f'width="{WIDTH}mm" height="{HEIGHT}mm"', f'width="{width}" height="{height}"', 1)
    return bytes(vl_convert.svg_to_pdf(sized))


@cache
def has_chinese_typeface() -> bool:
    """Whether two characters look different on this machine: without a typeface both are the same box, or invisible."""
    import vl_convert

    def drawn(letter: str) -> bytes:
        text = f'<text x="2" y="24" font-size="24" font-family="sans-serif">{letter}</text>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="30">{text}</svg>'
        return bytes(vl_convert.svg_to_png(svg))

    return drawn("优") != drawn("均")


def write_pdfs(papers: Path, out: Path, district: str | None = None, phase: str | None = None) -> list[Path]:
    """Make a PDF of every published wall map in `papers`, or of those of a district and phase (by code), in the folder `out`.

    Returns the files, `挂图_<district>_<phase>.pdf`; raises NoTypefaceError.
    """
    made = []
    for svg in sorted(papers.glob(f"{district or '*'}/{phase or '*'}/{TITLE}.svg")):
        pdf = to_pdf(svg.read_text(encoding="utf-8"))
        out.mkdir(parents=True, exist_ok=True)
        made.append(out / f"{TITLE}_{svg.parent.parent.name}_{svg.parent.name}.pdf")
        made[-1].write_bytes(pdf)
    return made
