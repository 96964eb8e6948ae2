"""The ledger: who did what with which alert, when, and under which rule, so that nobody can change it unseen.

Directive (EU) 2016/680 art. 25 asks that collection, alteration, consultation, disclosure, combination and erasure are
logged. Here each is a record of ids and hashes (`records`), written by the stage that did it, in the transaction in
which it was done. The records in their order in the topic `ledger` are the leaves of a Merkle tree (`tree`); its
root is signed as a checkpoint (`checkpoints`), which everybody may read and keep. From then on a record that is
changed, dropped or moved no longer fits (`verify`), and an agency can show that one is there (`proofs`).
"""
