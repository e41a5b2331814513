"""Settings for a bot in a playground. Knows the settings and nothing of Discord."""

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.settings import Settings


class IsolatedSettings(Settings):
    """Settings that look at nothing outside, so that what runs in a playground cannot touch a real bot's data."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what was passed, and nothing else."""
        return (init_settings,)
