"""Does the steps of a workflow's job on this machine, in order, in a clean clone: what GitHub would run.

    python release/rehearse.py test lint          the job `lint` of .github/workflows/test.yml
    python release/rehearse.py release build 1    the second one of a job's matrix
    python release/rehearse.py                    names all jobs

Steps that use an action are done by what stands in `ACTIONS`; those that need another system are named and left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from targets import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
ACTIONS = {
    "actions/checkout": "true",  # the clone
    "actions/setup-python": "python3 -m venv .python",
    "PyO3/maturin-action": "cd $WORKING && maturin $COMMAND ${TARGET:+--target $TARGET} $ARGS",
    "EmbarkStudios/cargo-deny-action": "cargo deny --locked check",
    "actions/upload-artifact": "mkdir -p $ARTIFACTS && cp -r $UPLOADED/. $ARTIFACTS",
    "actions/download-artifact": "mkdir -p dist && cp -r $ARTIFACTS/. dist",
}
ELSEWHERE = ("sudo ", "docker ", "actions/attest", "pypa/gh-action-pypi-publish")
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
Context = dict[str, Any]


def load(name: str) -> Context:
    """A workflow by its file's name."""
    return YAML(typ="safe").load(WORKFLOWS / f"{name}.yml")


def rows(strategy: Context, context: Context) -> list[Context]:
    """The jobs that a matrix makes."""
    matrix = strategy.get("matrix", {})
    if not isinstance(included := matrix.get("include", []), list):
        included = value(EXPRESSION.fullmatch(included)[1], context)  # type: ignore[index]
    axes = {name: values for name, values in matrix.items() if name != "include"}
    made = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    return [*made, *included] or [{}]


def value(expression: str, context: Context) -> Any:
    """Of the few kinds of expressions that these workflows have."""
    if " || " in expression:
        return next((found for part in expression.split(" || ") if (found := value(part, context))), "")
    if " == " in expression or " != " in expression:
        left, equals, right = expression.partition(" == " if " == " in expression else " != ")
        return (value(left, context) == value(right, context)) == (equals == " == ")
    if expression.startswith("!"):
        return not value(expression[1:], context)
    if call := re.fullmatch(r"fromJSON\((.*)\)", expression):
        return json.loads(value(call[1], context))
    if expression.startswith("'"):
        return expression.strip("'")
    found: Any = context
    for name in expression.split("."):
        found = found.get(name, "") if isinstance(found, dict) else ""
    return found


def text(written: Any, context: Context) -> str:
    """With its expressions replaced by their values."""
    return EXPRESSION.sub(lambda match: str(value(match[1], context)), str(written))


def variables(step: Context, context: Context) -> dict[str, str]:
    """What the step's shell finds, an action's arguments among it."""
    found = {name: text(written, context) for name, written in step.get("env", {}).items()}
    given = {name: text(written, context) for name, written in step.get("with", {}).items()}
    names = {
        "WORKING": "working-directory",
        "COMMAND": "command",
        "TARGET": "target",
        "ARGS": "args",
        "UPLOADED": "path",
    }
    return found | {variable: given[name] for variable, name in names.items() if name in given}


def command(step: Context, context: Context) -> str:
    """What the step runs; nothing where its condition is not met."""
    condition = str(step.get("if", "true"))
    plain = match[1] if (match := EXPRESSION.fullmatch(condition)) else condition
    if plain != "true" and not value(plain, context):
        return ""
    return ACTIONS.get(step["uses"].partition("@")[0], step["uses"]) if "uses" in step else text(step["run"], context)


def rehearse(name: str, job: str, number: int, place: Path) -> None:
    """Does the steps of a job; the first that fails is the end."""
    workflow = load(name)
    context: Context = {
        "github": {"workspace": str(place), "event_name": "rehearsal"},
        "strategy": {"job-index": number},
    }
    context["needs"] = needed(name, workflow["jobs"][job], place)
    context["matrix"] = rows(workflow["jobs"][job].get("strategy", {}), context)[number]
    files = {variable: place.parent / variable for variable in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    around = {
        **os.environ,
        "CI": "true",
        "ARTIFACTS": str(ROOT / "dist"),
        **{key: str(file) for key, file in files.items()},
    }
    around["PATH"] = f"{place}/.python/bin{os.pathsep}{os.environ['PATH']}"
    around.pop("VIRTUAL_ENV", None)
    for level in (workflow, workflow["jobs"][job]):
        around |= {key: text(written, context) for key, written in level.get("env", {}).items()}
    for step in workflow["jobs"][job]["steps"]:
        if not (script := command(step, context)):
            continue
        if script.startswith(ELSEWHERE):
            print(f"  not here: {script.splitlines()[0]}", flush=True)
            continue
        print(f"  {script.strip()}", flush=True)
        for file in files.values():
            file.touch()
        written = dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script], cwd=place, env={**around, **written, **variables(step, context)}
        )
        if done.returncode:
            sys.exit(f"{name}, {job}: the step failed")
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        context.setdefault("steps", {})[step.get("id", "")] = {"outputs": outputs}


def needed(name: str, job: Context, place: Path) -> Context:
    """What other jobs say: a job's matrix may be the output of another one."""
    if name != "release" or job.get("needs") != "targets":
        return {}
    matrix = subprocess.run(
        [sys.executable, "release/build.py", "--matrix"], cwd=place, capture_output=True, text=True, check=True
    )
    return {"targets": {"outputs": {"matrix": matrix.stdout}}}


def jobs() -> Iterator[str]:
    """A line for each job there is."""
    for file in sorted(WORKFLOWS.glob("*.yml")):
        yield from (f"{file.stem} {job}" for job in load(file.stem)["jobs"])


def main() -> None:
    """Rehearses a job, in a clone of the last commit."""
    if len(sys.argv) < 3:
        sys.exit("\n".join(jobs()))
    name, job, number = sys.argv[1], sys.argv[2], int(sys.argv[3] if len(sys.argv) > 3 else 0)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "varscale"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(place)], check=True)
        print(f"{name}, {job}", flush=True)
        rehearse(name, job, number, place)
        shutil.rmtree(place)
    print(f"{name}, {job}: every step passed")


if __name__ == "__main__":
    main()
