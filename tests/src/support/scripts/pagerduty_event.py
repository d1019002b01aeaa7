"""Sends an event with PagerDuty's own client. Arguments: base URL, routing key, action, arguments
of the client's method as JSON. Prints the deduplication key."""
import json
import sys

import pagerduty

base, key, action, arguments = sys.argv[1:]
client = pagerduty.EventsApiV2Client(key)
# The client's setter insists on https, and the daemon is behind a proxy that ends it.
client._url = base
print(getattr(client, action)(**json.loads(arguments)))
