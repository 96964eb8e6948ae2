"""The embedded schema registry: what clients use of the Confluent REST API, kept in the `_schemas` topic.

schemas        an Avro schema's text: read, checked, written in one form
compatibility  may data of one schema be read with another, and if not, where and why
records        the topic's keys and values
state          the fold of the topic, and the questions asked of it
operations     what each change writes, decided on a state
log            the topic: follow it, and write to it as its only writer
api            HTTP
server         TLS, uvicorn, readiness
"""
