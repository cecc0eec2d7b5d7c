"""Delivered files to checked rows: districts and deliveries, formats, headers, cells, contracts, quarantine.

Belongs here: everything between a file on disk and a typed row in the working database. Keep out: which delivery an evaluation
uses and what rows mean (`models`), opening databases (`warehouse`). Import nothing in this file: every part is imported from its
own module.
"""
