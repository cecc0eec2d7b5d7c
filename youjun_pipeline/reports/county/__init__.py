"""Papers about a whole district: self-evaluation, evidence, checks on the spot, building work, the ledger, the wall sheet."""
