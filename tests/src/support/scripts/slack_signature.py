"""Prints the signature by Slack's library, or whether the library takes one for valid now.
Arguments: secret, timestamp, body, and for the latter the signature."""
import sys

from slack_sdk.signature import SignatureVerifier

secret, timestamp, body, *signature = sys.argv[1:]
verifier = SignatureVerifier(secret)
if signature:
    print(verifier.is_valid(body=body, timestamp=timestamp, signature=signature[0]))
else:
    print(verifier.generate_signature(timestamp=timestamp, body=body))
