#!/usr/bin/env python3
"""Records what `terraform console` answers to each line of fixtures/console/expressions.txt, in answers.json beside it.

    python3 tests/record.py

Needs `terraform` 1.11 on PATH. Lines that begin with `#` are comments. Each expression is asked in a process of its own,
because the console prints only the last answer of its input, as if while planning fixtures/console/main.tf.json, whose
variables without a value are unknown. A failing one is recorded with its summary.
"""
import concurrent.futures, json, os, pathlib, re, subprocess, tempfile

here = pathlib.Path(__file__).parent / "fixtures" / "console"


def ask(expression):
    env = os.environ | {"TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1"}
    # A state of its own: the console locks it.
    with tempfile.TemporaryDirectory() as state:
        command = ["terraform", "console", "-plan", "-no-color", "-input=false", f"-state={state}/none"]
        p = subprocess.run(command, input=expression + "\n", text=True, capture_output=True, cwd=here, env=env)
    if p.returncode == 0:
        return {"expression": expression, "answer": p.stdout.removesuffix("\n")}
    plain = re.sub("\x1b\\[[0-9;]*m", "", p.stdout + p.stderr)
    lines = [re.sub("^[│╷╵] ?", "", line).strip() for line in plain.splitlines()]
    lines = [l for l in lines if l and not l.startswith(("on <console-input>", "on  line 0", "(source code not available)"))]
    heads = [i for i, l in enumerate(lines) if l.startswith("Error: ")]
    end = heads[1] if len(heads) > 1 else len(lines)
    return {"expression": expression, "error": lines[heads[0]].removeprefix("Error: "), "detail": " ".join(lines[heads[0] + 1:end])}


lines = [l for l in (here / "expressions.txt").read_text().splitlines() if l and not l.startswith("#")]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    answers = list(pool.map(ask, lines))
(here / "answers.json").write_text("[\n" + ",\n".join(json.dumps(a, ensure_ascii=False) for a in answers) + "\n]\n")
print(len(answers), "answers,", sum("error" in a for a in answers), "of them errors")
