"""Bytes on the wire: Avro schemas and codec, Confluent framing, batch signatures, client configuration."""
