"""The official statistics workbooks (教育事业统计报表): school by school, or wide exports of one stage.

Belongs here: from the files of a delivery's `statistics` folder to rows of the datasets schools, class_bands, teachers and
facilities. layouts.toml says where each figure is; packages opens files, grids finds labels, school_books and wide_exports read
cells, compose makes rows of them, store keeps cells and rows. Keep out: what a dataset's columns may hold (contracts) and
everything about plain dataset files. docs/statistics.md tells a district what is read.
"""
