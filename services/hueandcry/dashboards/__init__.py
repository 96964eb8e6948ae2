"""What operators look at and are woken by, as code: Grafana dashboards, Prometheus rules, the list of metrics.

`python -m hueandcry.dashboards` writes helm/dashboards/, helm/rules/ and docs/metrics.md; `--check` only says whether
they are as they would be written. It needs grafana-foundation-sdk, which the platform itself does not.
"""
