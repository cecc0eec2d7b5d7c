"""Planning: why a verdict is as it is, what would change it, and how many pupils will come.

Heavy imports belong in this room; they load only where they are used. Nothing in this room writes `mart`: its results are in
schema `plan`.
"""
