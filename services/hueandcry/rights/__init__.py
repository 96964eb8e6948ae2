"""Who may receive what: network, rules, routing and redaction. Pure: no Kafka, clock or I/O."""
