"""The least-cost plan that holds.

The mathematics knows only arrays (`program`, `relaxation`, `district`, `seats`, `proposal`). Figures, prices and words are in
modules of their own.
"""
