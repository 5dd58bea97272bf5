"""Receives the relay's events and checks who has sent them. Python 3.9 or newer, no packages.

HOOKS_SECRET=... python3 hook.py
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["HOOKS_SECRET"]
TOLERANCE_S = 300


def key(secret):
    """What is signed with: behind whsec_ it is in base64, else the text itself."""
    encoded = secret.removeprefix("whsec_")
    return secret.encode() if encoded == secret else base64.b64decode(encoded)


def is_genuine(headers, body):
    """Whether the relay has sent this body, and has done so just now."""
    number, sent = headers["webhook-id"], headers["webhook-timestamp"]
    if number is None or sent is None or not sent.isdigit():
        return False
    if abs(time.time() - int(sent)) > TOLERANCE_S:
        return False
    signed = f"{number}.{sent}.".encode() + body
    expected = hmac.new(key(SECRET), signed, hashlib.sha256).digest()
    signatures = headers.get("webhook-signature", "").split()
    wanted = "v1," + base64.b64encode(expected).decode()
    return any(hmac.compare_digest(wanted, one) for one in signatures)


class Receiver(BaseHTTPRequestHandler):
    seen = set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not is_genuine(self.headers, body):
            return self.answer(401)
        number = self.headers["webhook-id"]
        # An event whose answer was lost comes again.
        if number not in self.seen:
            self.seen.add(number)
            event = json.loads(body)
            print(event["time"], event["event"], event.get("broadcast", ""), flush=True)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", 9000), Receiver).serve_forever()
