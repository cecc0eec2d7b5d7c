"""The application tables (申报表) of one evaluation as a workbook."""
