"""What topics/ may say, and what is said of each mistake: the file, the line, and what to write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pycountry
import pytest

from hueandcry.control.network import NetworkFilesError, load_network
from hueandcry.control.network.checks import CATEGORIES

ROOT = Path(__file__).parents[2]
KEY = "A" * 43 + "="

FILES = {
    "regions.yaml": """\
regions:
  - id: north
    name: North
    states: [NOR, SWE]
  - id: south
    name: South
    states: [ITA]
""",
    "coalitions.yaml": "coalitions:\n  - id: harbour\n    name: Harbour watch\n",
    "agencies/nor-one.yaml": """\
id: nor-one
name: One
state: NOR
region: north
jurisdictions: [NOR, NO-03, world]
clearance: secret
kinds: [cyber]
coalitions: [harbour]
publishes: [cyber]
quotas: small
""",
    "agencies/ita-two.yaml": """\
id: ita-two
name: Two
state: ITA
region: south
jurisdictions: [south]
clearance: unclassified
kinds: [wanted_person]
quotas: small
""",
    "subscriptions/nor-one.yaml": "subscriptions:\n  - id: nor-one-cyber\n    agency: nor-one\n    kinds: [cyber]\n",
    "keys/nor-one.yaml": f"""\
keys:
  - agency: nor-one
    key_id: nor-one.1
    public_key: {KEY}
    valid_from: 2026-01-01T00:00:00Z
    valid_until: 2027-01-01T00:00:00Z
""",
    "topics.yaml": """\
topics:
  - name: alerts.<region>
    purpose: Alerts
    partitions: 2
    replication_factor: 3
    min_insync_replicas: 2
    cleanup: delete
    retention: 30d
    max_message: 1 MiB
    compression: producer
  - name: log
    purpose: Log
    partitions: 2
    co_partitioned_with: alerts.<region>
    replication_factor: 3
    min_insync_replicas: 2
    cleanup: compact
    max_message: 1 MiB
    compression: producer
""",
    "quotas.yaml": "quotas:\n  - class: small\n    producer_byte_rate: 1 MiB\n",
    "services.yaml": """\
services:
  - user: hc-admit
    purpose: Admits
    read: [alerts.<region>]
    write: [log]
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "topics" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "topics"


def complaints(*folders: Path) -> list[str]:
    """What is said of these folders, each with its path as seen from the first of them."""
    with pytest.raises(NetworkFilesError) as caught:
        load_network(*folders)
    return [str(problem).replace(f"{folders[0]}/", "") for problem in caught.value.problems]


# name: (file, text that is replaced, text that replaces it, what is said)
MISTAKES = {
    "unknown field": (
        "agencies/nor-one.yaml",
        "clearance:",
        "clearence:",
        [
            "agencies/nor-one.yaml:1:1: field `clearance` is missing",
            "agencies/nor-one.yaml:6:12: unknown field `clearence`; did you mean `clearance`?",
        ],
    ),
    "unknown kind": (
        "agencies/nor-one.yaml",
        "publishes: [cyber]",
        "publishes: [cybr]",
        [
            "agencies/nor-one.yaml:9:13: publishes[0]: `cybr` is not one of stolen_vehicle, wanted_person, cyber; "
            "did you mean `cyber`?"
        ],
    ),
    "Norway": (
        "agencies/nor-one.yaml",
        "state: NOR",
        "state: NO",
        [
            "agencies/nor-one.yaml:3:8: state: NO without quotes means false in YAML; for Norway write NOR; "
            'if the text is meant, write "NO"'
        ],
    ),
    "Norway in quotes": (
        "agencies/nor-one.yaml",
        "state: NOR",
        'state: "NO"',
        [
            "agencies/nor-one.yaml:3:8: state: `NO` does not fit: a state is written with three capital letters "
            "(ISO 3166-1 alpha-3), such as NOR; for Norway write NOR"
        ],
    ),
    "Norway in a region": (
        "regions.yaml",
        "[NOR, SWE]",
        "[NO, SWE]",
        [
            "regions.yaml:4:14: states[0]: NO without quotes means false in YAML; for Norway write NOR; "
            'if the text is meant, write "NO"'
        ],
    ),
    "a number for a name": (
        "agencies/nor-one.yaml",
        "name: One",
        "name: 1",
        ["agencies/nor-one.yaml:2:7: name: expected text, found a number: put it in quotes if it is meant so"],
    ),
    "no list": (
        "agencies/nor-one.yaml",
        "kinds: [cyber]",
        "kinds: cyber",
        ["agencies/nor-one.yaml:7:8: kinds: expected a list, such as [cyber]"],
    ),
    "a key twice": (
        "agencies/nor-one.yaml",
        "name: One",
        "name: One\nname: Uno",
        ["agencies/nor-one.yaml:3:1: `name` is given twice; first at agencies/nor-one.yaml:2:1"],
    ),
    "a key that is no text": (
        "agencies/nor-one.yaml",
        "name: One",
        "no: One",
        [
            "agencies/nor-one.yaml:1:1: field `name` is missing",
            "agencies/nor-one.yaml:2:1: `no` is not read as text: put it in quotes",
        ],
    ),
    "an alias": (
        "agencies/nor-one.yaml",
        "jurisdictions: [NOR, NO-03, world]",
        "jurisdictions: &all [NOR]",
        ["agencies/nor-one.yaml:5:16: anchors, aliases and tags are not used here: write it out"],
    ),
    "a Python object": (
        "agencies/nor-one.yaml",
        "name: One",
        "name: !!python/name:os.system x",
        ["agencies/nor-one.yaml:2:7: anchors, aliases and tags are not used here: write it out"],
    ),
    "not YAML": (
        "agencies/nor-one.yaml",
        "kinds: [cyber]",
        "kinds: [cyber",
        ["agencies/nor-one.yaml:8:11: not YAML: expected ',' or ']', but got ':'"],
    ),
    "no region of that name": (
        "agencies/nor-one.yaml",
        "region: north",
        "region: nort",
        ["agencies/nor-one.yaml:4:9: no region `nort`; did you mean `north`?"],
    ),
    "a region without its state": (
        "agencies/nor-one.yaml",
        "region: north",
        "region: south",
        ["agencies/nor-one.yaml:4:9: agency `nor-one` is in region `south`, but its state NOR is in `north`"],
    ),
    "no such jurisdiction": (
        "agencies/nor-one.yaml",
        "[NOR, NO-03, world]",
        "[NOR, NO-99, wrld]",
        [
            "agencies/nor-one.yaml:5:22: no jurisdiction `NO-99`: not `world`, a region, a state or a subdivision of "
            "ISO 3166-2",
            "agencies/nor-one.yaml:5:29: no jurisdiction `wrld`: not `world`, a region, a state or a subdivision of "
            "ISO 3166-2; did you mean `world`?",
        ],
    ),
    "a coalition spelt otherwise": (
        "agencies/nor-one.yaml",
        "[harbour]",
        "[harbor]",
        ["agencies/nor-one.yaml:8:14: no coalition `harbor` in coalitions.yaml; did you mean `harbour`?"],
    ),
    "no such class of quotas": (
        "agencies/nor-one.yaml",
        "quotas: small",
        "quotas: smal",
        ["agencies/nor-one.yaml:10:9: no quota class `smal`; did you mean `small`?"],
    ),
    "an id that isn't the file's": (
        "agencies/nor-one.yaml",
        "id: nor-one",
        "id: ita-two",
        [
            "agencies/nor-one.yaml:1:5: agency `ita-two` is given twice; first at agencies/ita-two.yaml:1:1",
        ],
    ),
    "an agency in another's file": (
        "agencies/ita-two.yaml",
        "id: ita-two",
        "id: ita-three",
        ["agencies/ita-two.yaml:1:5: agency `ita-three` belongs in a file ita-three.yaml"],
    ),
    "another's user": (
        "agencies/nor-one.yaml",
        "quotas: small",
        "scram_user: ita-two\nquotas: small",
        ["agencies/nor-one.yaml:10:13: user `ita-two` is given twice; first at agencies/ita-two.yaml:1:5"],
    ),
    "everyone's user": (
        "agencies/nor-one.yaml",
        "quotas: small",
        'scram_user: "*"\nquotas: small',
        [
            "agencies/nor-one.yaml:10:13: scram_user: `*` does not fit: "
            "a user name has letters, digits, and . _ - after the first"
        ],
    ),
    "a service's user": (
        "agencies/nor-one.yaml",
        "quotas: small",
        "scram_user: hc-admit2\nquotas: small",
        [
            "agencies/nor-one.yaml:10:13: user `hc-admit2`: services are named hc-…, agencies are not, and "
            "ANONYMOUS, admin, operator are taken"
        ],
    ),
    "a subscription of nobody": (
        "subscriptions/nor-one.yaml",
        "agency: nor-one",
        "agency: nor-on",
        ["subscriptions/nor-one.yaml:3:13: no agency `nor-on`; did you mean `nor-one`?"],
    ),
    "a subscription to what one doesn't get": (
        "subscriptions/nor-one.yaml",
        "[cyber]",
        "[stolen_vehicle]",
        [
            "subscriptions/nor-one.yaml:4:13: agency `nor-one` receives no stolen_vehicle: "
            "add it to its kinds or leave it out here"
        ],
    ),
    "a category that isn't one": (
        "subscriptions/nor-one.yaml",
        "kinds: [cyber]",
        "categories: [seisure]",
        ["subscriptions/nor-one.yaml:4:18: no category `seisure`; did you mean `seizure`?"],
    ),
    "a state of nowhere": (
        "subscriptions/nor-one.yaml",
        "kinds: [cyber]",
        "issuing_states: [FRA]",
        ["subscriptions/nor-one.yaml:4:22: state FRA is in no region"],
    ),
    "a state in two regions": (
        "regions.yaml",
        "[ITA]",
        "[ITA, SWE]",
        ["regions.yaml:7:19: state SWE is in region `south` and, at regions.yaml:4:19, in `north`"],
    ),
    "no state": (
        "regions.yaml",
        "[ITA]",
        "[ITA, XYZ]",
        ["regions.yaml:7:19: `XYZ` is no state of ISO 3166-1"],
    ),
    "a region twice": (
        "regions.yaml",
        "id: south",
        "id: north",
        [
            "regions.yaml:5:9: region `north` is given twice; first at regions.yaml:2:5",
        ],
    ),
    "a coalition with the id of a region": (
        "coalitions.yaml",
        "    name: Harbour watch\n",
        "    name: Harbour watch\n  - id: south\n    name: South\n",
        [
            "coalitions.yaml:4:5: coalition `south` has the id of a region, at regions.yaml:5:9; "
            "an alert could mean either"
        ],
    ),
    "a coalition that would be the world": (
        "coalitions.yaml",
        "    name: Harbour watch\n",
        "    name: Harbour watch\n  - id: world\n    name: All\n",
        ["coalitions.yaml:4:5: coalition `world` would be taken for the whole world; give it another id"],
    ),
    "a key of nobody": (
        "keys/nor-one.yaml",
        "agency: nor-one",
        "agency: nor-two",
        ["keys/nor-one.yaml:2:13: no agency `nor-two`; did you mean `nor-one`?"],
    ),
    "a key that is too short": (
        "keys/nor-one.yaml",
        KEY,
        "AAAA",
        ["keys/nor-one.yaml:4:17: public_key: `AAAA` does not fit: 32 bytes in base64: 43 characters and ="],
    ),
    "a time without a zone": (
        "keys/nor-one.yaml",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        ["keys/nor-one.yaml:5:17: valid_from: write the time with its zone, such as 2026-01-01T00:00:00Z"],
    ),
    "no such day": (
        "keys/nor-one.yaml",
        "2026-01-01T00:00:00Z",
        "2026-02-31T00:00:00Z",
        [
            "keys/nor-one.yaml:5:17: `2026-02-31T00:00:00Z` is no value: day is out of range for month",
            "keys/nor-one.yaml:5:17: valid_from: input should be a valid datetime",
        ],
    ),
    "a key that ends before it begins": (
        "keys/nor-one.yaml",
        "2027-01-01T00:00:00Z",
        "2025-01-01T00:00:00Z",
        ["keys/nor-one.yaml:6:18: key `nor-one.1` ends before it begins"],
    ),
    "co-partitioned with another count": (
        "topics.yaml",
        "purpose: Log\n    partitions: 2",
        "purpose: Log\n    partitions: 3",
        [
            "topics.yaml:13:17: topic `log` has 3 partitions, `alerts.<region>` has 2: "
            "they are co-partitioned and must have as many"
        ],
    ),
    "more replicas in sync than there are": (
        "topics.yaml",
        "replication_factor: 3\n    min_insync_replicas: 2\n    cleanup: compact",
        "replication_factor: 1\n    min_insync_replicas: 2\n    cleanup: compact",
        ["topics.yaml:16:26: topic `log` needs 2 replicas in sync and has 1"],
    ),
    "a size that isn't one": (
        "topics.yaml",
        "retention: 30d\n    max_message: 1 MiB",
        "retention: 30d\n    max_message: 1 MB",
        ["topics.yaml:9:18: max_message: a size is written as 512 KiB, 2 MiB or a whole number of bytes"],
    ),
    "a time that isn't one": (
        "topics.yaml",
        "retention: 30d",
        "retention: 1 month",
        ["topics.yaml:8:16: retention: a time is written as 30d, 12h, 5min, 10s, 100ms or forever"],
    ),
    "no retention": (
        "topics.yaml",
        "    retention: 30d\n",
        "",
        ["topics.yaml:2:5: topic `alerts.<region>`: field `retention` is missing"],
    ),
    "a setting with a field of its own": (
        "topics.yaml",
        "retention: 30d",
        "retention: 30d\n    config:\n      retention.ms: 5",
        ["topics.yaml:10:21: `retention.ms` has a field of its own: retention"],
    ),
    "a service that reads what isn't there": (
        "services.yaml",
        "[alerts.<region>]",
        "[alerts.<agency>]",
        ["services.yaml:4:12: no topic `alerts.<agency>`; did you mean `alerts.<region>`?"],
    ),
    "another list in a file": (
        "quotas.yaml",
        "quotas:",
        "quota:",
        [
            "quotas.yaml:2:3: unknown field `quota`; did you mean `quotas`?",
        ],
    ),
    "not a list": (
        "quotas.yaml",
        FILES["quotas.yaml"],
        "quotas:\n  class: small\n",
        ["quotas.yaml:2:3: `quotas` must be a list of entries"],
    ),
    "an empty agency": (
        "agencies/ita-two.yaml",
        FILES["agencies/ita-two.yaml"],
        "",
        ["agencies/ita-two.yaml:1:1: expected fields such as `id: …` here"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_named_with_its_place(name: str, folder: Path) -> None:
    file, old, new, said = MISTAKES[name]
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    assert complaints(folder) == said


def test_the_sound_folder_is_sound(folder: Path) -> None:
    spec = load_network(folder)
    assert set(spec.network.agencies) == {"nor-one", "ita-two"}
    assert set(spec.network.keys) == {"nor-one.1"}
    assert "NOR" in spec.network.regions["north"].states


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    for name in ("Norway", "a category that isn't one", "a size that isn't one", "a state in two regions"):
        file, old, new, _ = MISTAKES[name]
        (folder / file).write_text((folder / file).read_text().replace(old, new, 1))
    said = complaints(folder)
    for name in ("Norway", "a category that isn't one", "a size that isn't one", "a state in two regions"):
        assert set(MISTAKES[name][3]) <= set(said)


def test_a_file_that_is_none_of_the_network_is_told(folder: Path) -> None:
    (folder / "agencys").mkdir()
    (folder / "agencys" / "x.yaml").write_text("id: x\n")
    (folder / "topics.yml").write_text("topics: []\n")
    assert complaints(folder) == [
        "agencys/x.yaml:1:1: no file of the network; did you mean `agencies/*.yaml`?",
        "topics.yml:1:1: no file of the network; did you mean `topics.yaml`?",
    ]


def test_what_must_be_there(tmp_path: Path) -> None:
    said = complaints(tmp_path)
    assert [line.split(" in ")[0] for line in said] == ["no agency", "no quota class", "no region", "no topic"]
    assert complaints(tmp_path / "nowhere") == [f"{tmp_path / 'nowhere'}:1:1: no such folder"]


def test_an_overlay_adds_keys_and_sizes(folder: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    (overlay / "keys").mkdir(parents=True)
    shutil.move(folder / "keys" / "nor-one.yaml", overlay / "keys" / "nor-one.yaml")
    (folder / "keys").rmdir()
    (overlay / "sizing.yaml").write_text("max_partitions: 1\nmax_replication_factor: 1\n")
    spec = load_network(folder, overlay)
    assert set(spec.network.keys) == {"nor-one.1"}
    assert spec.sizing.max_partitions == 1
    (overlay / "regions.yaml").write_text("regions:\n  - id: north\n    name: North\n    states: [DNK]\n")
    assert complaints(folder, overlay) == [
        f"{overlay}/regions.yaml:2:9: region `north` is given twice; first at regions.yaml:2:5"
    ]


def test_the_network_of_the_repository() -> None:
    network = load_network(ROOT / "topics").network
    states = {country.alpha_3 for country in pycountry.countries}
    listed = [state for region in network.regions.values() for state in region.states]
    assert set(listed) == states
    assert len(listed) == len(states)
    publishing = [agency for agency in network.agencies.values() if agency.publishes]
    assert len(network.agencies) >= 8
    assert len(publishing) >= 5
    assert len({agency.region for agency in publishing}) >= 3
    assert {kind for agency in publishing for kind in agency.publishes} == {"stolen_vehicle", "wanted_person", "cyber"}


def test_categories_are_those_of_the_schema() -> None:
    schema = json.loads((ROOT / "avro" / "hueandcry.Category.avsc").read_text())
    assert {*CATEGORIES, "unknown"} == set(schema["symbols"])
