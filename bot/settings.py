"""Every setting of Mynah, read once from the environment or `.env`. The only place that looks there."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ProviderName = Literal["imitation"]


class Settings(BaseSettings):
    """Built in `__main__`, handed down, never changed. `.env.example` lists each field."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    discord_token: SecretStr | None = None
    """Bot token from the Discord developer portal. Needed by `make run` only."""
    provider: ProviderName = "imitation"
    """Where new voices are made."""
    data_dir: Path = Path("data")
    """Database, engine voices and the generated sample key live here."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL; empty: an SQLite file in the data folder."""
    keep_samples: bool = True
    """Keep each sample, encrypted, so that a voice can be rebuilt elsewhere."""
    sample_key: SecretStr | None = None
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
    idle_seconds: int = Field(default=300, ge=5)
    """Leave the voice channel after this long without a line."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("log_level", mode="before")
    @classmethod
    def shout(cls, level: object) -> object:
        """Take `debug` for `DEBUG`."""
        return level.upper() if isinstance(level, str) else level

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
