"""A Fish Speech server of one's own, as `tools/api_server.py` of github.com/fishaudio/fish-speech serves it.

One model, one generation at a time, voices in folders. Knows no account and no credit.
"""

from playground.services.fish_speech._service import FishSpeechService

__all__ = ["FishSpeechService"]
