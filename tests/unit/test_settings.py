"""The settings, and the file that lists them."""

import os
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticUndefined

from bot.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
ENTRY = re.compile(r"(?m)^# (?P<comment>.+)\n(?P<out>#?)(?P<name>[A-Z_]+)=(?P<value>.*)$")


def flatten() -> dict[str, object]:
    """Give every setting by its name in the environment, in small letters, with its default."""
    found: dict[str, object] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            services = type(field.default).model_fields
            found |= {f"{name}_{part}": value.default for part, value in services.items()}
        else:
            found[name] = field.default
    return found


DEFAULTS = flatten()


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in DEFAULTS:
        for spelling in (name, name.upper()):
            monkeypatch.delenv(spelling, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_example_lists_exactly_the_settings_each_once_in_order_with_a_comment() -> None:
    names = [entry["name"].lower() for entry in ENTRY.finditer(EXAMPLE.read_text())]
    assignments = re.findall(r"(?m)^#?[A-Z_]+=", EXAMPLE.read_text())

    assert names == list(DEFAULTS)
    assert len(assignments) == len(names)


def test_the_example_shows_the_defaults_and_sets_nothing() -> None:
    for entry in ENTRY.finditer(EXAMPLE.read_text()):
        default = DEFAULTS[entry["name"].lower()]
        assert default is not PydanticUndefined
        if default is None:
            assert (entry["out"], entry["value"]) == ("", ""), entry["name"]
        else:
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert (entry["out"], entry["value"]) == ("#", shown), entry["name"]


def test_the_example_as_it_is_gives_the_defaults(tmp_path: Path) -> None:
    without = Settings()
    (tmp_path / ".env").write_text(EXAMPLE.read_text())

    assert Settings() == without


def test_the_example_with_every_line_in_force_gives_the_defaults(tmp_path: Path) -> None:
    without = Settings()
    (tmp_path / ".env").write_text(re.sub(r"(?m)^#([A-Z_]+=)", r"\1", EXAMPLE.read_text()))

    assert Settings() == without


def test_the_database_is_a_file_in_the_data_folder_unless_its_address_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = Settings().sqlalchemy_url
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://localhost/mynah")

    assert unset == f"sqlite+aiosqlite:///{Path('data', 'mynah.db')}"
    assert Settings().sqlalchemy_url == "postgresql+asyncpg://localhost/mynah"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_TEXT=60\nMAX_QUEUE=7\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("MAX_TEXT", "70")

    settings = Settings()

    assert (settings.max_text, settings.max_queue) == (70, 7)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFAULTS:
        if name.endswith(("_key", "_token", "database_url")):
            monkeypatch.setenv(name.upper(), "hunter2")

    settings = Settings()

    assert settings.sample_key is not None
    assert settings.sample_key.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_the_home_folder_may_be_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", f"~{os.sep}mynah")

    assert Settings().data_dir == Path.home() / "mynah"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_SAMPLE_MB", "0"),
        ("MAX_TEXT", "many"),
        ("IDLE_SECONDS", "4"),
        ("PROVIDER", "nobody"),
        ("LOG_LEVEL", "LOUD"),
        ("FISH_MODEL", "s9"),
        ("FISH_BASE_URL", "api.fish.audio"),
        ("FISH_BASE_URL", "https://"),
        ("FISH_BASE_URL", "https://api.fish.audio:99999"),
        ("FISH_BASE_URL", "https://user:word@api.fish.audio"),
        ("FISH_BASE_URL", "https://api fish.audio"),
        ("FISH_API_KEY", "two words"),
        ("PUBLIC_URL", "http://mynah.example"),
        ("OPENAI_VOICES", ", ,"),
        ("ACEDATA_MODE", "sometimes"),
        ("NOVITA_UPLOAD", "fax"),
        ("WEB_PORT", "0"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match=name.lower().replace("_", "[._]", 1)):
        Settings()


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.max_text = 60


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"PROVIDER": "fish"}, "FISH_API_KEY"),
        ({"PROVIDER": "highwayapi"}, "HIGHWAYAPI_API_KEY"),
        ({"PROVIDER": "myrouter"}, "MYROUTER_API_KEY"),
        ({"PROVIDER": "novita"}, "NOVITA_API_KEY"),
        ({"PROVIDER": "acedata"}, "ACEDATA_API_KEY"),
        ({"PROVIDER": "fish-speech"}, "FISHSPEECH_BASE_URL"),
        ({"PROVIDER": "openai"}, "OPENAI_BASE_URL"),
        ({"ACEDATA_MODE": "callback"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://mynah.example"}, "WEB_PORT"),
    ],
)
def test_a_choice_that_lacks_what_it_needs_is_refused_by_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], missing: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match=missing):
        Settings()


def test_a_service_is_on_once_it_has_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    without = Settings()
    monkeypatch.setenv("FISH_API_KEY", "hunter2")
    monkeypatch.setenv("FISHSPEECH_BASE_URL", "http://127.0.0.1:8080/")

    settings = Settings()

    assert not without.is_on("fish")
    assert without.is_on("imitation")
    assert settings.is_on("fish")
    assert settings.is_on("fish-speech")
    assert not settings.is_on("novita")
    assert settings.fishspeech.base_url == "http://127.0.0.1:8080"
    assert settings.fish.model == without.fish.model


def test_keys_are_taken_without_the_blanks_they_were_copied_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FISH_API_KEY", " secret\n")
    monkeypatch.setenv("NOVITA_API_KEY", " \n ")

    settings = Settings()

    assert settings.fish.api_key is not None
    assert settings.fish.api_key.get_secret_value() == "secret"
    assert not settings.is_on("novita")


def test_the_provider_may_be_written_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", "Imitation ")

    assert Settings().provider == "imitation"
