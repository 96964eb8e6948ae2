"""Write what is made of this package's code, or with --check say what is not as it would be written."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from hueandcry.dashboards import catalogue
from hueandcry.dashboards.boards import BOARDS
from hueandcry.dashboards.rules import rules

ROOT = Path(__file__).parents[3]


def made() -> dict[Path, str]:
    """Text of each file, by its path in the repository."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    files = {
        Path(f"helm/dashboards/{name}.json"): encoder.encode(board().build()) + "\n" for name, board in BOARDS.items()
    }
    head = "# Written by `python -m hueandcry.dashboards`; don't edit.\n"
    text = yaml.safe_dump(rules(), sort_keys=False, allow_unicode=True, width=1000)
    files[Path("helm/rules/hueandcry.yaml")] = head + text
    files[Path("docs/metrics.md")] = catalogue.page(Path(__file__).parents[1])
    return files


def main(check: bool) -> int:
    """Returns the exit code."""
    stale = [
        path for path, text in made().items() if not (ROOT / path).is_file() or (ROOT / path).read_text("utf-8") != text
    ]
    for path in stale:
        if check:
            print(f"{path} is not as the code says", file=sys.stderr)
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(made()[path], "utf-8")
            print(f"wrote {path}")
    if check and stale:
        print("Put right with: python -m hueandcry.dashboards", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
