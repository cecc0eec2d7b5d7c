"""Whole runs: delivered files in, publication out."""
