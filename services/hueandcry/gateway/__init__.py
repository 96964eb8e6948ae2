"""The gateway: HTTPS for agencies that speak no Kafka.

server       one process: what it is made of, and how it ends
settings     what it must be told
api          routes; every request is asked who, may they, how often, and counted
auth         who asks: a signed request, a certificate, a token, a password
limits       how often an agency may ask
problems     refusals as problem details (RFC 9457)
bodies       what came in, read within bounds
custody      keys with which the gateway signs for agencies that let it
press        to Kafka, signed together, acknowledged; or at once the answer that Kafka is away
idempotency  the same request twice is done once, over restarts too
publish      alerts and reports from HTTP to Kafka
mail         what is for an agency: pages, and what comes
tail         what comes, read once for all who listen
pages        what came before, read from any place
positions    the places as a client keeps them
events       messages as they are shown
streams      server-sent events
webhooks     what comes, sent on: which there are, and what agencies ask of them; with webhook_worker, sending,
             webhook_signing, reachable (where they may lead) and dead_letters
taxii        TAXII 2.1 over what an agency has received; taxii_shelf, stix_making
openapi      the interface, described
"""
