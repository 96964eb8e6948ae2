"""Lanes: Faust agents over librdkafka batches, exactly once by Kafka transactions, with local state.

A lane reads batches from co-partitioned topics, hands each to a Faust agent, and commits what the agent made of it
(records, state changes and the offsets read) in one Kafka transaction. `docs/decisions/0001-lanes.md` says why.
"""
