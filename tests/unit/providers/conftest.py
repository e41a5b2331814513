"""Speech to clone from that no file is needed for: espeak-ng in a man's voice."""

import numpy as np
import pytest

from bot.models import Sample
from bot.providers.local.espeak import Espeak
from bot.providers.local.learning import learn
from bot.providers.local.posterior import PosteriorNet
from bot.providers.local.profile import Profile
from bot.providers.local.recording import SAMPLE_RATE, prepare
from bot.providers.local.resample import resample
from tests.unit.providers.sound import sample_of, to_pcm

SAID = (
    "The old man walked slowly down to the river, and there he found the boat that his brother had built. "
    "Nobody else was there."
)


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Give some seven seconds of speech at 48 kHz."""
    said = Espeak().say(SAID, "en-us+m3", speed=150)
    return resample(said.samples, said.rate, SAMPLE_RATE)


@pytest.fixture(scope="session")
def pcm(speech: np.ndarray) -> bytes:
    return to_pcm(speech)


@pytest.fixture(scope="session")
def sample(speech: np.ndarray) -> Sample:
    return sample_of(speech)


@pytest.fixture(scope="session")
def profile(pcm: bytes) -> Profile:
    return learn(prepare(pcm), PosteriorNet.load())
