"""The table of docs/development/platforms.md: each target, its wheel, where it ran, and if golden hashes were equal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from targets import DIST, ROOT, TARGETS

FILE = ROOT / "docs" / "development" / "platforms.md"
BEGIN, END = "<!-- the table of `make test-wheels` -->", "<!-- end of the table -->"
HEADER = """\
| target | wheel | ran in | golden hashes | tests |
|---|--:|---|--:|--:|
"""


def rows(reports: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A row for each run, and one for each wheel that was never run."""
    listed = list(reports)
    distributions = {target.name: target.wheel() for target in TARGETS}
    distributions["sdist"] = next(iter(DIST.glob("varscale-*.tar.gz")), None)
    for name, file in distributions.items():
        size = "not built" if file is None else f"{file.stat().st_size / 1000:.0f} KB"
        runs = [report for report in listed if report["target"] == name]
        for report in runs:
            golden = f"{report['golden']} equal" if "golden" in report else ""
            refused = f", {report['refused']} refused" if report.get("refused") else ""
            yield f"| {name} | {size} | {what(report)} | {golden} | {report['tests']} passed{refused} |"
        if not any("python" in report for report in runs):
            yield f"| {name} | {size} | **built and never run** | | |"


def what(report: dict[str, Any]) -> str:
    """What ran, on what, where."""
    if "python" not in report:
        return f"the crate; {report['how']}"
    versions = f"Python {report['python']}, NumPy {report['numpy']}, ml_dtypes {report['ml_dtypes']}"
    return f"{versions}; {report['how']}, {report['level']}"


def keep(proof: str, reports: Iterable[dict[str, Any]]) -> None:
    """Keeps a proof's reports beside the files that they are of, and those files' SHA-256."""
    about = {"files": files(), "reports": list(reports)}
    (DIST / f"{proof}.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def files() -> str:
    """What tells one build from another."""
    return (DIST / "SHA256SUMS").read_text(encoding="utf-8")


def kept(proof: str) -> list[dict[str, Any]]:
    """The reports of a proof, if it was of the files that are there now."""
    path = DIST / f"{proof}.json"
    about = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"files": None}
    return about["reports"] if about["files"] == files() else []


def write(proofs: Iterable[str]) -> None:
    """Puts the table into its document."""
    text = FILE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    reports = [report for proof in proofs for report in kept(proof)]
    lines = "".join(f"{row}\n" for row in rows(reports))
    FILE.write_text(f"{before}{BEGIN}\n\n{HEADER}{lines}\n{END}{after}", encoding="utf-8")
