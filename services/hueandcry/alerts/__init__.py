"""What an alert is. Pure: no Kafka, clock, files or network.

ids, remarks       deterministic ids; what is wrong with a message, field by field
categories         kinds, categories, actions and the longest validity of each; validity: when an alert ends
forms, rules, rules_subject, checks    admit's rules over decoded records, named in one table
model (base, vehicle, person, cyber)   the publisher's side: JSON in and out; problems: its errors as remarks
reports            what agencies say of an alert: model and rules
tabular, paths     rows of a table to alerts, by a mapping
"""
