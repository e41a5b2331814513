"""Tests of bot/playback."""

import importlib
import warnings

# discord.py imports audioop, which Python 3.11 and 3.12 announce to remove: not ours to fix, and an error here
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("discord")
