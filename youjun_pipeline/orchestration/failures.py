"""What to say of a failed step, to whoever started the run and to whoever is told of it at night."""

from __future__ import annotations

import re
from typing import Any

PUBLICATION_STEP = "publication__youjun"


def cause_of(error: Any) -> str:
    """What this package said, else the innermost cause; without the name of our own class, which helps nobody."""
    chain = [error]
    while chain[-1].cause:
        chain.append(chain[-1].cause)
    ours = [e for e in chain if e.message.startswith("youjun_pipeline.")]
    message = (ours or chain)[0 if ours else -1].message.strip()
    return re.sub(r"^youjun_pipeline\.[\w.]+: ", "", message)
