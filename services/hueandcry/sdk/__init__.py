"""For programs: publish alerts, receive deliveries, report on them.

profile     who I am and where the platform is
publisher   Publisher: validate, encode, sign, send
reports     Reports: say what was found, answer who has found
subscriber  Subscriber, Receipts and Notices: read what comes
search      Search: ask which active alerts one may see
"""

import logging

# A library keeps still until its user asks for its log.
logging.getLogger("hueandcry").addHandler(logging.NullHandler())
