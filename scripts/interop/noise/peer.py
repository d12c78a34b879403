"""The other side of a Noise handshake, by noiseprotocol: one JSON object a line in, one out; all bytes in hexadecimal."""

import json
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from noise.connection import Keypair, NoiseConnection


def begin(ask):
    side = NoiseConnection.from_name(f"Noise_{ask['pattern']}_25519_ChaChaPoly_SHA256".encode())
    side.set_psks(bytes.fromhex(ask["psk"]))
    side.set_prologue(bytes.fromhex(ask["prologue"]))
    if "static" in ask:
        side.set_keypair_from_private_bytes(Keypair.STATIC, bytes.fromhex(ask["static"]))
        side.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, bytes.fromhex(ask["remote"]))
    if ask["initiator"]:
        side.set_as_initiator()
    else:
        side.set_as_responder()
    side.start_handshake()
    return side


def public_key(secret):
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(secret)).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


side = None
for line in sys.stdin:
    ask = json.loads(line)
    if ask["do"] == "begin":
        side = begin(ask)
        answer = {"key": public_key(ask["static"])} if "static" in ask else {}
    elif ask["do"] == "write":
        answer = {"message": bytes(side.write_message(bytes.fromhex(ask["payload"]))).hex()}
    elif ask["do"] == "read":
        answer = {"payload": bytes(side.read_message(bytes.fromhex(ask["message"]))).hex()}
    else:
        ciphers = side.noise_protocol
        answer = {
            "hash": side.get_handshake_hash().hex(),
            "sends": ciphers.cipher_state_encrypt.k.hex(),
            "receives": ciphers.cipher_state_decrypt.k.hex(),
        }
    print(json.dumps(answer), flush=True)
