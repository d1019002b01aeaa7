"""Prints the signature that Slack's own library makes: secret, timestamp, body."""
import sys

from slack_sdk.signature import SignatureVerifier

secret, timestamp, body = sys.argv[1:]
print(SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body))
