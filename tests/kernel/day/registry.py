#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""registry.py PORT_FILE: an npm registry with one package, `left`, on loopback."""

import base64
import hashlib
import io
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def tarball():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in (("package.json", '{"name": "left", "version": "1.0.0"}'), ("index.js", "module.exports = 42;\n")):
            entry = tarfile.TarInfo("package/" + name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


PACKAGE = tarball()


class Registry(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/left":
            digest = base64.b64encode(hashlib.sha512(PACKAGE).digest()).decode()
            where = f"http://{self.headers['Host']}/left.tgz"
            version = {"name": "left", "version": "1.0.0", "dist": {"tarball": where, "integrity": "sha512-" + digest}}
            body = json.dumps({"name": "left", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}).encode()
        elif self.path == "/left.tgz":
            body = PACKAGE
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    with open(sys.argv[1], "w", encoding="ascii") as port:
        port.write(str(server.server_address[1]))
    server.serve_forever()
