"""The demonstration: a scenario out of files, played on a real Kafka, its outcome held against what its author states.

data/           alerts, the order in which they are published (scenario.yaml), who must receive what (expected.yaml)
scenario        reads the first two
expected        reads the third
forge           the faulty messages
player          publishes, and reads what comes of it
compare         what differs
view            what a person sees while it runs
stage           starts a cluster, plays, checks, stops
"""
