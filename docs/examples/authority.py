"""An authority that a relay asks (auth.hook). pip install pyjwt

python3 authority.py                       answers the relay
python3 authority.py token ada game-1 play prints a token for a link
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

SECRET = "0123456789abcdef0123456789abcdef"
# Who may do what, at which broadcast; "read" is watching.
RULES = {
    ("mia", "game-1"): {"create", "publish", "end"},
    ("ada", "game-1"): {"read"},
}


def token(subject, broadcast, role):
    claims = {
        "sub": subject,
        # For pages and relay: they read from it which broadcast it is for, and that takes all three.
        "aud": "steadycast",
        "exp": int(time.time()) + 3600,
        "steadycast": {"broadcast": broadcast, "roles": [role]},
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


class Authority(BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        action, broadcast = question["action"], question["path"]
        try:
            claims = jwt.decode(
                question["token"], SECRET, algorithms=["HS256"], audience="steadycast"
            )
        except jwt.InvalidTokenError:
            return self.answer(401, {})
        subject = claims["sub"]
        allowed = action in RULES.get((subject, broadcast), ())
        print(subject, action, broadcast, question["protocol"], allowed, flush=True)
        if not allowed:
            return self.answer(403, {})
        self.answer(
            200, {"subject": subject, "name": subject.title(), "stay_until": claims["exp"]}
        )

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if sys.argv[1:2] == ["token"]:
    print(token(*sys.argv[2:]))
else:
    ThreadingHTTPServer(("127.0.0.1", 9001), Authority).serve_forever()
