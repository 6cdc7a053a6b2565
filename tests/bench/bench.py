#!/usr/bin/env python3
"""Measures plan, apply, no-op plan and destroy of a stack against an AWS emulator: time, memory and calls.

    scripts/emulators && cargo build --release -p lakeform-cli
    tests/bench/bench.py [STACK]                      each call takes 20 ms longer, as it would over a network
    tests/bench/bench.py --no-delay --check           straight to the emulator; fails below the promised ratios

    LAKEFORM_MOTO=tests/parity/moto_server tests/bench/bench.py stacks/lakehouse/dev.toml    what moto alone does not serve

Calls of a refresh by resource type, beside Terraform's: cargo run -p lakeform-testkit --example calls (docs/resource-types.md).

Terraform is measured beside lakeform where it is on PATH (TF_PLUGIN_MIRROR names a filesystem mirror with its AWS provider,
else it downloads it). Both use a local state file, the same emulator, and their default parallelism. Only Python's own
library is needed.

What the columns say:

wall      from start to exit. Of the no-op plan, the median of --runs.
memory    peak resident memory of the process and all its children together, sampled every few milliseconds.
calls     requests to the emulator.
at once   mean and most requests in flight.
chain     calls on the critical path. Resources are nodes, the `dependencies` that the state records are edges; a path's
          length is the sum of the calls that each resource on it cannot avoid making one after another (SERIAL below), and
          the chain is the longest path. A plan reads each resource in dependency order; a destroy reads and then deletes.
ratio     wall time over chain x delay: 1 would be a tool that only waits for the network, never for itself or the emulator.
emulator  share of the wall time in which the emulator was working on a request: what no tool can make shorter.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import terraform_json

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Calls that a create of this type must make one after another: the create itself, what AWS only accepts afterwards, and one
# read of the values that AWS decides. Every other type: one write and one read.
SERIAL = {"aws_s3_bucket": 3, "aws_kms_key": 3, "aws_dynamodb_table": 3}
CREATE = 2
# Data sources that are computed without a call.
LOCAL = {"aws_partition", "aws_region", "aws_iam_policy_document"}

# The promises about a no-op plan without a delay: times faster, and times less memory.
PROMISED = 10


# --- the emulator and the proxy -----------------------------------------------------------------------------------------

class Emulator:
    """moto or ministack on a free port."""

    def __init__(self, kind, log):
        self.port = free_port()
        name = {"moto": "moto_server", "ministack": "ministack"}[kind]
        local = ROOT / ".venv/bin" / name
        program = os.environ.get("LAKEFORM_" + kind.upper()) or (str(local) if local.exists() else shutil.which(name))
        if not program:
            raise SystemExit(f"there is no {name}: run scripts/emulators")
        arguments = ["-H", "127.0.0.1", "-p", str(self.port)] if kind == "moto" else []
        settings = {"GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
        self.process = subprocess.Popen([program, *arguments], env=os.environ | settings, stdout=log, stderr=log)
        self.reset_url = f"http://127.0.0.1:{self.port}/" + {"moto": "moto-api", "ministack": "_ministack"}[kind] + "/reset"
        for _ in range(300):
            try:
                return self.reset()
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise SystemExit(f"{name} did not start")

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(self.reset_url, method="POST"), timeout=10).read()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Proxy:
    """proxy.py in a process of its own, so that measuring does not slow it down."""

    def __init__(self, upstream, delay_ms):
        command = [sys.executable, str(pathlib.Path(__file__).with_name("proxy.py")), str(upstream), str(delay_ms)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def calls(self):
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__calls", timeout=30))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- running and measuring ----------------------------------------------------------------------------------------------

def resident(pid):
    """Resident and peak resident bytes of one process; zeros once it is gone."""
    now = peak = 0
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    now = int(line.split()[1]) * 1024
                elif line.startswith("VmHWM:"):
                    peak = int(line.split()[1]) * 1024
    except (OSError, ProcessLookupError):
        pass
    return now, peak


def descendants(pid):
    """The process and its children, and theirs."""
    tree, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        tree.append(current)
        try:
            for task in os.listdir(f"/proc/{current}/task"):
                with open(f"/proc/{current}/task/{task}/children") as children:
                    waiting += map(int, children.read().split())
        except (OSError, ProcessLookupError):
            pass
    return tree


class Memory(threading.Thread):
    """Samples the resident memory of a process tree until told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        tree, looked = [self.pid], 0.0
        while not self.over.is_set():
            if time.monotonic() - looked > 0.025:
                tree, looked = descendants(self.pid), time.monotonic()
            samples = [resident(pid) for pid in tree]
            # A process alone cannot hide a peak between two samples: the kernel remembers it.
            self.peak = max(self.peak, samples[0][1] if len(tree) == 1 else sum(now for now, _ in samples))
            time.sleep(0.002)


def measure(command, env, cwd, wanted=(0,)):
    """Runs a command; its wall time, its peak memory, and when it began and ended."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        memory = Memory(process.pid)
        process.wait()
        ended = time.monotonic()
        memory.over.set()
        memory.join()
        if process.returncode not in wanted:
            output.seek(0)
            sys.stderr.write(output.read().decode(errors="replace")[-4000:])
            raise SystemExit(f"`{' '.join(command)}` exited with {process.returncode}")
    return {"wall": ended - began, "memory": memory.peak, "began": began, "ended": ended}


# --- the tools ----------------------------------------------------------------------------------------------------------

class Lakeform:
    name = "lakeform"

    def __init__(self, program, stack, work):
        self.state = work / "lakeform.tfstate"
        self.tail = [str(stack), "--state", str(self.state), "--input=false", "--no-color"]
        self.program, self.cwd = program, work

    def prepare(self, _env):
        pass

    def command(self, phase):
        verb = {"plan": ["plan"], "apply": ["apply", "--auto-approve"], "no-op plan": ["plan", "--detailed-exitcode"],
                "destroy": ["destroy", "--auto-approve"]}[phase]
        return [self.program, verb[0], *self.tail, *verb[1:]]


class Terraform:
    name = "terraform"

    def __init__(self, program, stack, work):
        self.program, self.cwd = program, work / "terraform"
        self.state = self.cwd / "terraform.tfstate"
        terraform_json.convert(stack, self.cwd)
        mirror = os.environ.get("TF_PLUGIN_MIRROR")
        self.rc = work / "terraformrc"
        self.rc.write_text("disable_checkpoint = true\n" + (
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(mirror)}\n  }}\n}}\n" if mirror else ""))

    def prepare(self, env):
        env["TF_IN_AUTOMATION"] = "1"
        if os.environ.get("TF_PLUGIN_MIRROR") or "TF_CLI_CONFIG_FILE" not in env:
            env["TF_CLI_CONFIG_FILE"] = str(self.rc)
        measure([self.program, "init", "-input=false", "-no-color"], env, self.cwd)

    def command(self, phase):
        verb = {"plan": ["plan"], "apply": ["apply", "-auto-approve"], "no-op plan": ["plan", "-detailed-exitcode"],
                "destroy": ["destroy", "-auto-approve"]}[phase]
        return [self.program, *verb, "-input=false", "-no-color"]


# --- what the numbers mean ----------------------------------------------------------------------------------------------

def chain(state, phase):
    """Calls on the critical path of a phase, from the resources of a state file and their dependencies."""
    types, edges = {}, {}
    for resource in state["resources"]:
        data = "data." if resource["mode"] == "data" else ""
        module = "".join(f"module.{name}." for name in module_names(resource.get("module", "")))
        address = f"{module}{data}{resource['type']}.{resource['name']}"
        types[address] = (resource["mode"], resource["type"])
        edges[address] = {d for instance in resource["instances"] for d in instance.get("dependencies") or []}

    def longest(cost):
        done = {}

        def upto(address):
            if address not in done:
                done[address] = 0  # a state with a cycle is no state; this only keeps the walk finite
                before = max((upto(d) for d in edges[address] if d in types), default=0)
                done[address] = before + cost(*types[address])
            return done[address]

        return max(map(upto, types), default=0)

    def read(mode, kind):
        return 0 if mode == "data" and kind in LOCAL else 1

    def look(mode, kind):
        return read(mode, kind) if mode == "data" else 0

    def create(mode, kind):
        return read(mode, kind) if mode == "data" else SERIAL.get(kind, CREATE)

    def delete(mode, _kind):
        return 1 if mode == "managed" else 0

    return {"plan": lambda: longest(look), "apply": lambda: longest(create), "no-op plan": lambda: longest(read),
            "destroy": lambda: longest(read) + longest(delete)}[phase]()


def module_names(module):
    """`module.a["k"].module.b` as a, b: dependencies are recorded without instance keys."""
    names, rest = [], module
    while rest.startswith("module."):
        rest = rest[len("module."):]
        end = min((i for i in (rest.find("."), rest.find("[")) if i >= 0), default=len(rest))
        names.append(rest[:end])
        rest = rest[end:]
        if rest.startswith("["):
            rest = rest[rest.find('"]') + 2:] if rest.startswith('["') else rest[rest.find("]") + 1:]
        rest = rest.removeprefix(".")
    return names


def union(intervals):
    """How much time is covered by intervals."""
    total = end = 0.0
    for a, b in sorted(intervals):
        total += max(0.0, b - max(a, end))
        end = max(end, b)
    return total


def summarise(calls, run):
    """Calls, concurrency and the emulator's share of one run."""
    spans = [(c["came"], c["went"]) for c in calls]
    edges = sorted([(a, 1) for a, _ in spans] + [(b, -1) for _, b in spans])
    most = flying = 0
    for _, step in edges:
        flying += step
        most = max(most, flying)
    busy = union(spans)
    return {"calls": len(calls), "most": most, "mean": sum(b - a for a, b in spans) / busy if busy else 0.0,
            "emulator": union((c["went"] - c["emulator"], c["went"]) for c in calls) / run["wall"]}


def bench(tool, endpoint, proxy, options):
    """All phases of one tool."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-2", "AWS_EC2_METADATA_DISABLED": "true"}
    tool.prepare(env)
    results, state = {}, {}
    for phase in ("plan", "apply", "no-op plan", "destroy"):
        runs = []
        for _ in range(options.runs if phase == "no-op plan" else 1):
            if proxy:
                proxy.calls()
            run = measure(tool.command(phase), env, tool.cwd)
            if proxy:
                run |= summarise(proxy.calls(), run)
            runs.append(run)
        runs.sort(key=lambda run: run["wall"])
        results[phase] = runs[len(runs) // 2] | {
            "wall": statistics.median(run["wall"] for run in runs), "memory": max(run["memory"] for run in runs)}
        if phase == "apply":
            state = json.loads(tool.state.read_text())
    for phase, result in results.items():
        result["chain"] = chain(state, phase)
        path = result["chain"] * options.delay / 1000
        result["ratio"] = result["wall"] / path if path else None
    return results


def table(results):
    """The results as text."""
    lines = [f"{'':10} {'':11} {'wall':>9} {'memory':>9} {'calls':>6} {'at once':>9} {'chain':>6} {'ratio':>6} {'emulator':>9}"]
    for name, phases in results.items():
        for phase, r in phases.items():
            ratio = f"{r['ratio']:.1f}" if r["ratio"] else "-"
            called = (f"{r['calls']:6} {r['mean']:5.1f}/{r['most']:3}", f"{r['emulator']:9.0%}") if "calls" in r else (
                f"{'-':>6} {'-':>9}", f"{'-':>9}")
            lines.append(f"{name:10} {phase:11} {r['wall']:7.2f} s {r['memory'] / 1e6:6.0f} MB {called[0]} {r['chain']:6} "
                         f"{ratio:>6} {called[1]}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", nargs="?", type=pathlib.Path, default=ROOT / "stacks/prod.toml")
    parser.add_argument("--delay", type=float, default=20, metavar="MS", help="added to each call (default: 20)")
    parser.add_argument("--no-delay", action="store_true", help="no proxy: nothing is added, and calls are not counted")
    parser.add_argument("--lakeform", default=str(ROOT / "target/release/lakeform"), help="the binary; `no` leaves it out")
    parser.add_argument("--terraform", default=shutil.which("terraform") or "no", help="the binary; `no` leaves it out")
    parser.add_argument("--emulator", choices=("moto", "ministack"), default="moto")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="how often the no-op plan is measured (default: 5)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the numbers here")
    parser.add_argument("--check", action="store_true", help="fail if a no-op plan breaks the promised ratios to Terraform")
    options = parser.parse_args()
    if options.check and "no" in (options.lakeform, options.terraform):
        parser.error("--check needs both lakeform and Terraform")
    for name in ("lakeform", "terraform"):
        program = getattr(options, name)
        if program != "no" and not shutil.which(program):
            parser.error(f"there is no {program}" + (" (cargo build --release -p lakeform-cli)" if name == "lakeform" else ""))
        if program != "no":
            setattr(options, name, os.path.abspath(shutil.which(program)))
    if options.no_delay:
        options.delay = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped

    results = {}
    with tempfile.TemporaryDirectory(prefix="lakeform-bench-") as temporary:
        work = pathlib.Path(temporary)
        tools = [kind(program, options.stack.resolve(), work) for kind, program in
                 ((Lakeform, options.lakeform), (Terraform, options.terraform)) if program != "no"]
        with open(work / "emulator.log", "wb") as log:
            emulator, proxy = Emulator(options.emulator, log), None
            try:
                proxy = None if options.no_delay else Proxy(emulator.port, options.delay)
                endpoint = f"http://127.0.0.1:{proxy.port if proxy else emulator.port}"
                for tool in tools:
                    emulator.reset()
                    results[tool.name] = bench(tool, endpoint, proxy, options)
            finally:
                emulator.stop()
                if proxy:
                    proxy.stop()

    print(f"{options.stack.name} on {options.emulator}, {options.delay:g} ms added to each call")
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    good = True
    if len(results) == 2:
        ours, theirs = (results[name]["no-op plan"] for name in ("lakeform", "terraform"))
        faster, smaller = theirs["wall"] / ours["wall"], theirs["memory"] / ours["memory"]
        print(f"no-op plan: {faster:.1f} times faster than Terraform, {smaller:.1f} times less memory")
        good = faster >= PROMISED and smaller >= PROMISED
    return 1 if options.check and not good else 0


if __name__ == "__main__":
    sys.exit(main())
