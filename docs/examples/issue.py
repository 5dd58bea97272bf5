"""Issues tokens for a relay. pip install 'pyjwt[crypto]'

python3 issue.py keys                 makes key.pem, and keys.json for auth.jwks
python3 issue.py token game-1 ada     prints a link's token for Ada to watch game-1
"""

import json
import sys
import time
import uuid

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_ID = "2026-1"


def keys():
    private = Ed25519PrivateKey.generate()
    with open("key.pem", "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    public = jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    public |= {"kid": KEY_ID, "alg": "EdDSA", "use": "sig"}
    with open("keys.json", "w") as file:
        json.dump({"keys": [public]}, file)


def token(broadcast, subject):
    now = int(time.time())
    claims = {
        "iss": "https://accounts.example.org",
        "aud": "steadycast",
        "sub": subject,
        "name": subject.title(),
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 3600,
        "steadycast": {"broadcast": broadcast, "roles": ["play"], "expiry": "connect_by"},
    }
    with open("key.pem", "rb") as file:
        return jwt.encode(claims, file.read(), algorithm="EdDSA", headers={"kid": KEY_ID})


if sys.argv[1] == "keys":
    keys()
else:
    print(token(sys.argv[2], sys.argv[3]))
