"""The least-cost plan that holds.

The mathematics knows arrays (`program`, `relaxation`, `district`, `seats`, `proposal`); figures, prices and words lie beside it.
"""
