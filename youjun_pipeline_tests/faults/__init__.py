"""Long harnesses that try to break a refresh: kills at random moments, readers through publications, bombs in files.

Belongs here: what takes minutes and prints figures (`make faults`, docs/reliability.md); `pipeline/test_faults.py` runs a
sample of each. Keep out: dirty but harmless files (`dirty`).
"""
