"""For programs: publish alerts, receive deliveries and receipts.

profile     who I am and where the platform is
publisher   Publisher: validate, encode, sign, send
subscriber  Subscriber and Receipts: read inbox and receipts
search      Search: ask which active alerts one may see
"""

import logging

# A library keeps still until its user asks for its log.
logging.getLogger("hueandcry").addHandler(logging.NullHandler())
