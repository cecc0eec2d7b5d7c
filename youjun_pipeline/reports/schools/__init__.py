"""Papers with a part for every school: the self-assessment and the plan (一校一案)."""
