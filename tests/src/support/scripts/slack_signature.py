"""Prints the signature by Slack's library. Arguments: secret, timestamp, body."""
import sys

from slack_sdk.signature import SignatureVerifier

secret, timestamp, body = sys.argv[1:]
print(SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body))
