"""Long harnesses that try to break a refresh: kills at random moments, readers during publications, bombs in files.

Belongs here: harnesses that take minutes and print figures (`make faults`, docs/reliability.md); `pipeline/test_faults.py` runs a
sample of each. Keep out: dirty but harmless files (`dirty`).
"""
