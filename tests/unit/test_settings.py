"""Settings: where they come from, and one line that says what to write where one is missing or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hueandcry import settings
from hueandcry.errors import SettingsError

SECRET = "ab" * 32


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def profile(folder: Path, config: str, auth: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(config)
    (folder / "auth.toml").write_text(auth)
    return folder / "config.toml"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = profile(tmp_path / "p", 'bootstrap = "file:1"\ninstance = "7"\n', 'user = "u"\npassword = "p"\n')
    monkeypatch.setenv("HUEANDCRY_CONFIG", str(config))
    monkeypatch.setenv("HUEANDCRY_BOOTSTRAP", "env:2")
    loaded = settings.load()
    assert (loaded.bootstrap, loaded.instance, loaded.user, loaded.web_host) == ("env:2", "7", "u", "127.0.0.1")


def test_the_local_operator_is_who_we_are_where_nothing_is_set(tmp_path: Path) -> None:
    profile(tmp_path / ".hueandcry" / "operator", 'bootstrap = "local:1"\n', 'user = "operator"\n')
    assert (settings.load().bootstrap, settings.load().user) == ("local:1", "operator")


def test_a_named_cluster_is_not_mixed_with_the_local_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(tmp_path / ".hueandcry" / "operator", 'bootstrap = "local:1"\n', 'user = "operator"\n')
    monkeypatch.setenv("HUEANDCRY_BOOTSTRAP", "theirs:1")
    assert (settings.load().bootstrap, settings.load().user) == ("theirs:1", "")


@pytest.mark.parametrize(
    ("environment", "names", "says"),
    [
        pytest.param({}, (), "HUEANDCRY_BOOTSTRAP is missing", id="no broker"),
        pytest.param({"BOOTSTRAP": "kafka"}, (), "HUEANDCRY_BOOTSTRAP is wrong: write host:port", id="no port"),
        pytest.param({"BOOTSTRAP": "a:1,b"}, (), "HUEANDCRY_BOOTSTRAP is wrong", id="second without a port"),
        pytest.param({"BOOTSTRAP": "a:1"}, ("user",), "HUEANDCRY_USER is missing", id="required here"),
        pytest.param({"BOOTSTRAP": "a:1"}, ("password",), "HUEANDCRY_PASSWORD is missing", id="secret required here"),
        pytest.param({"BOOTSTRAP": "a:1", "WEB_PORT": "x"}, (), "HUEANDCRY_WEB_PORT is wrong", id="no number"),
        pytest.param({"BOOTSTRAP": "a:1", "WEB_PORT": "65536"}, (), "HUEANDCRY_WEB_PORT is wrong", id="no port number"),
        pytest.param({"BOOTSTRAP": "a:1", "REGISTRY_URL": "r:1"}, (), "HUEANDCRY_REGISTRY_URL is wrong", id="no URL"),
        pytest.param(
            {"BOOTSTRAP": "a:1", "IDENTITY_SECRET": "ab"}, (), "HUEANDCRY_IDENTITY_SECRET is wrong", id="short"
        ),
        pytest.param(
            {"BOOTSTRAP": "a:1", "IDENTITY_SECRET": "x" * 64}, (), "HUEANDCRY_IDENTITY_SECRET is wrong", id="no hex"
        ),
        pytest.param(
            {"BOOTSTRAP": "a:1", "SASL_MECHANISM": "X"}, (), "HUEANDCRY_SASL_MECHANISM is wrong", id="no such"
        ),
        pytest.param({"CONFIG": "nowhere.toml"}, (), "HUEANDCRY_CONFIG names no file", id="no such file"),
    ],
)
def test_what_is_missing_or_wrong_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], names: tuple[str, ...], says: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"HUEANDCRY_{name}", value)
    with pytest.raises(SettingsError) as refused:
        settings.load(*names)
    line = refused.value.diagnostics()
    assert line.startswith(says)
    assert refused.value.hint
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param('bootstrap = "a:1"\nbotstrap = "b:1"\n', "unknown key 'botstrap'", id="misspelt"),
        pytest.param("bootstrap = a:1\n", "can't be read", id="not TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    monkeypatch.setenv("HUEANDCRY_CONFIG", str(profile(tmp_path / "p", text)))
    with pytest.raises(SettingsError, match=says):
        settings.load()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BOOTSTRAP": "a:1", "PASSWORD": "hush-hush", "IDENTITY_SECRET": SECRET}.items():
        monkeypatch.setenv(f"HUEANDCRY_{name}", value)
    shown = repr(settings.load()) + str(settings.load())
    assert "hush-hush" not in shown
    assert SECRET not in shown


def test_the_registry_is_asked_as_the_broker_user_unless_it_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BOOTSTRAP": "a:1", "USER": "u", "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"HUEANDCRY_{name}", value)
    assert settings.load().registry_auth == ("u", "p")
    monkeypatch.setenv("HUEANDCRY_REGISTRY_USER", "r")
    monkeypatch.setenv("HUEANDCRY_REGISTRY_PASSWORD", "q")
    assert settings.load().registry_auth == ("r", "q")
