"""Planning: why a verdict is as it is, what would change it, and which pupils will come.

Heavy imports belong here and load where they run. Nothing in this room writes `mart`: its results are schema `plan`.
"""
