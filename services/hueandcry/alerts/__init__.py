"""What an alert is. Pure: no Kafka, clock, files or network.

ids         deterministic ids
remarks     what is wrong with a message, field by field
categories  kinds, categories, actions and the longest validity of each
envelope    the envelope as Pydantic models, with vehicle, person and cyber for its subjects; `model` gathers them
checks      admit's rules over decoded records
validity    when an alert ends by itself
tabular     rows of a table to alerts, by a mapping
"""
