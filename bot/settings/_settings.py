"""The settings as a whole, and where they are read."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.settings._services import (
    AceDataSettings,
    FishSettings,
    FishSpeechSettings,
    HighwaySettings,
    MyRouterSettings,
    NovitaAISettings,
    OpenAISettings,
    PublicUrl,
    Secret,
)

ProviderName = Literal["imitation", "fish", "highwayapi", "myrouter", "novita", "acedata", "fish-speech", "openai"]
_SWITCHES: dict[ProviderName, str] = {
    "fish": "FISH_API_KEY",
    "highwayapi": "HIGHWAYAPI_API_KEY",
    "myrouter": "MYROUTER_API_KEY",
    "novita": "NOVITA_API_KEY",
    "acedata": "ACEDATA_API_KEY",
    "fish-speech": "FISHSPEECH_BASE_URL",
    "openai": "OPENAI_BASE_URL",
}


class Settings(BaseSettings):
    """Built in `__main__`, handed down, never changed. `.env.example` lists each field."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        # FISH_API_KEY is the field api_key of fish
        env_nested_delimiter="_",
        env_nested_max_split=1,
        nested_model_default_partial_update=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    discord_token: Secret = None
    """Bot token from the Discord developer portal. Needed by `make run` only."""
    provider: ProviderName = "imitation"
    """Where new voices are made. Every service that is set speaks the voices that were made there."""
    fish: FishSettings = FishSettings()
    highwayapi: HighwaySettings = HighwaySettings()
    myrouter: MyRouterSettings = MyRouterSettings()
    novita: NovitaAISettings = NovitaAISettings()
    acedata: AceDataSettings = AceDataSettings()
    fishspeech: FishSpeechSettings = FishSpeechSettings()
    openai: OpenAISettings = OpenAISettings()
    public_url: PublicUrl | None = None
    """Address at which the web server is reached from outside, https; services fetch recordings and call back there."""
    web_port: int | None = Field(default=None, ge=1, le=65535)
    """Serve /healthz, callbacks and samples on this port; empty: no web server."""
    web_host: str = "127.0.0.1"
    """Address the web server listens on."""
    data_dir: Path = Path("data")
    """Database, engine voices and the generated sample key live here."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL; empty: an SQLite file in the data folder."""
    keep_samples: bool = True
    """Keep each sample, encrypted, so that a voice can be rebuilt elsewhere."""
    sample_key: Secret = None
    """Key for kept samples (32 bytes, base64url); empty: generated into the data folder."""
    max_sample_mb: int = Field(default=25, ge=1, le=500)
    """Largest recording taken, in MB."""
    max_sample_seconds: int = Field(default=300, ge=10, le=3600)
    """Longest recording taken, in seconds."""
    max_text: int = Field(default=1000, ge=50, le=5000)
    """Longest text for one line, in characters."""
    max_voices: int = Field(default=25, ge=1, le=1000)
    """Voices one member may own."""
    max_queue: int = Field(default=20, ge=1, le=500)
    """Lines that may wait in one server."""
    cache_mb: int = Field(default=64, ge=0, le=4096)
    """Memory for sentences that were spoken, in MB; 0: none are kept."""
    idle_seconds: int = Field(default=300, ge=5)
    """Leave the voice channel after this long without a line."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("log_level", mode="before")
    @classmethod
    def shout(cls, level: object) -> object:
        """Take `debug` for `DEBUG`."""
        return level.upper() if isinstance(level, str) else level

    @field_validator("provider", mode="before")
    @classmethod
    def whisper(cls, name: object) -> object:
        """Take `Fish` for `fish`."""
        return name.strip().lower() if isinstance(name, str) else name

    def is_on(self, provider: ProviderName) -> bool:
        """Say whether a provider is set up."""
        switches = {
            "imitation": True,
            "fish": self.fish.api_key,
            "highwayapi": self.highwayapi.api_key,
            "myrouter": self.myrouter.api_key,
            "novita": self.novita.api_key,
            "acedata": self.acedata.api_key,
            "fish-speech": self.fishspeech.base_url,
            "openai": self.openai.base_url,
        }
        return switches[provider] is not None

    @model_validator(mode="after")
    def agree(self) -> Self:
        """Refuse a choice that lacks what it needs."""
        if not self.is_on(self.provider):
            raise ValueError(f"PROVIDER={self.provider} needs {_SWITCHES[self.provider]}")
        if self.acedata.mode == "callback" and self.public_url is None:
            raise ValueError("ACEDATA_MODE=callback needs PUBLIC_URL")
        if self.public_url is not None and self.web_port is None:
            raise ValueError("PUBLIC_URL needs WEB_PORT")
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """Where the database is; may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / 'mynah.db'}"

    @field_validator("data_dir")
    @classmethod
    def expand(cls, path: Path) -> Path:
        """Take `~` for the home folder."""
        return path.expanduser()
