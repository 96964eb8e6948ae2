"""Looks at the cluster from outside: how far everybody is behind, who has fallen silent, what is about to run out."""
