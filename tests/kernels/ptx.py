"""What is looked for in the assembly of NVIDIA's GPUs."""

from __future__ import annotations

import re


def contracted(ptx: str) -> int:
    """How many instructions round once where the law rounds twice, or may become such."""
    return len(re.findall(r"\bfma\.", ptx)) + len(re.findall(r"\b(?:mul|add|sub)\.f(?:32|64)\b", ptx))
