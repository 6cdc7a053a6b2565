#!/usr/bin/env python3
"""Records what Terraform stores for the configurations of fixtures/terraform-state/.

    python3 tests/record.py [NAME ...]      default: every NAME.tf.json

Each NAME.tf.json (Terraform's JSON syntax) is applied with Terraform and its AWS provider 5.100 against a moto server,
and the attributes of every instance are written to NAME.state.json; a second plan must be empty, else a note is printed.
Needs `terraform` and `moto_server` on PATH. Where the registry is out of reach, TF_CLI_CONFIG_FILE names a mirror.
"""
import json, os, pathlib, shutil, socket, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).parent / "fixtures" / "terraform-state"
VERSIONS = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}}
SKIP = {"provider": {"aws": {"skip_credentials_validation": True, "skip_metadata_api_check": "true",
                             "s3_use_path_style": True}}}


def record(name):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    work = pathlib.Path(tempfile.mkdtemp(prefix="record-"))
    moto = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(port)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    env = os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "test",
                        "AWS_SECRET_ACCESS_KEY": "test", "TF_IN_AUTOMATION": "1"}

    def terraform(*args, ok=(0,)):
        done = subprocess.run(["terraform", *args], cwd=work, env=env, text=True, capture_output=True)
        if done.returncode not in ok:
            raise SystemExit(f"{name}: terraform {args[0]} failed\n{done.stdout}\n{done.stderr}")
        return done

    try:
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        shutil.copy(HERE / f"{name}.tf.json", work / "main.tf.json")
        (work / "versions.tf.json").write_text(json.dumps(VERSIONS))
        (work / "override.tf.json").write_text(json.dumps(SKIP))
        terraform("init", "-no-color")
        terraform("apply", "-auto-approve", "-no-color")
        again = terraform("plan", "-detailed-exitcode", "-no-color", ok=(0, 2))
        if again.returncode == 2:
            print(f"note: {name}: Terraform's second plan is not empty:\n{again.stdout}")
        state = json.loads((work / "terraform.tfstate").read_text())
    finally:
        moto.terminate()
        moto.wait()
        shutil.rmtree(work)
    rows = [{"mode": r["mode"], "type": r["type"], "name": r["name"],
             "schema_version": r["instances"][0]["schema_version"], "attributes": r["instances"][0]["attributes"]}
            for r in state["resources"]]
    rows.sort(key=lambda r: (r["mode"], r["type"], r["name"]))
    (HERE / f"{name}.state.json").write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
    print(f"{name}: {len(rows)} instances")


for name in sys.argv[1:] or sorted(p.name.removesuffix(".tf.json") for p in HERE.glob("*.tf.json")):
    record(name)
