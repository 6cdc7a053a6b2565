#!/usr/bin/env python3
"""Records what Terraform stores for the configurations in fixtures/s3.tf.json, and what it sends.

    python3 tests/s3_bucket_configurations/record.py

Emulators drop parts of these sub-resources, so Terraform 1.11 and its AWS provider 5.100 are run against a server that
keeps each sub-resource as it was sent and returns it so, which is what S3's reference documents: the bodies of PUT and
GET have the same elements. fixtures/s3.state.json gets the attributes after a second refresh, fixtures/s3.requests.json
the bodies of the PUT requests. A second plan must be empty, else a note is printed. Needs `terraform` on PATH; where the
registry is out of reach, TF_CLI_CONFIG_FILE names a mirror.
"""
import json, os, pathlib, shutil, subprocess, tempfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HERE = pathlib.Path(__file__).parent / "fixtures"
VERSIONS = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}}
SKIP = {"provider": {"aws": {"skip_credentials_validation": True, "skip_metadata_api_check": "true",
                             "skip_requesting_account_id": True, "s3_use_path_style": True}}}
ABSENT = {"lifecycle": "NoSuchLifecycleConfiguration", "cors": "NoSuchCORSConfiguration",
          "replication": "ReplicationConfigurationNotFoundError", "object-lock": "ObjectLockConfigurationNotFoundError",
          "intelligent-tiering": "NoSuchConfiguration", "notification": None}
SIZE = "x-amz-transition-default-minimum-object-size"
store, sent = {}, {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def serve(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind = next(name for name in ABSENT if name in query)
        key = f"{url.path.strip('/')}?{kind}" + "".join(f"&id={v}" for v in query.get("id", []))
        if self.command == "PUT":
            store[key] = (body, self.headers.get(SIZE) or "")
            sent.setdefault(key, body.decode())
            return self.answer(200, b"")
        if self.command == "DELETE":
            store.pop(key, None)
            return self.answer(204, b"")
        if key in store:
            return self.answer(200, store[key][0], {SIZE: store[key][1]} if kind == "lifecycle" else {})
        if ABSENT[kind] is None:
            return self.answer(200, b'<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
        self.answer(404, f"<Error><Code>{ABSENT[kind]}</Code><Message>absent</Message></Error>".encode())

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = serve


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
work = pathlib.Path(tempfile.mkdtemp(prefix="record-"))
env = os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "test",
                    "AWS_SECRET_ACCESS_KEY": "test", "TF_IN_AUTOMATION": "1"}


def terraform(*args, ok=(0,)):
    done = subprocess.run(["terraform", *args], cwd=work, env=env, text=True, capture_output=True)
    if done.returncode not in ok:
        raise SystemExit(f"terraform {args[0]} failed\n{done.stdout}\n{done.stderr}")
    return done


try:
    shutil.copy(HERE / "s3.tf.json", work / "main.tf.json")
    (work / "versions.tf.json").write_text(json.dumps(VERSIONS))
    (work / "override.tf.json").write_text(json.dumps(SKIP))
    terraform("init", "-no-color")
    terraform("apply", "-auto-approve", "-no-color")
    terraform("apply", "-refresh-only", "-auto-approve", "-no-color")
    again = terraform("plan", "-detailed-exitcode", "-no-color", ok=(0, 2))
    if again.returncode == 2:
        print(f"note: Terraform's second plan is not empty:\n{again.stdout}")
    state = json.loads((work / "terraform.tfstate").read_text())
finally:
    shutil.rmtree(work)
rows = {f"{r['type']}.{r['name']}": r["instances"][0]["attributes"] for r in state["resources"]}
(HERE / "s3.state.json").write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
(HERE / "s3.requests.json").write_text(json.dumps(sent, indent=1, sort_keys=True) + "\n")
print(f"{len(rows)} instances, {len(sent)} requests")
