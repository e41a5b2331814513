"""The embedded voice engine: basic offline imitation of a speaker, without an account, a key or a download.

espeak-ng makes the speech and says which sound is where in it; WORLD takes sound apart into pitch, envelope and
breathiness and puts it together again; a small net finds the sounds in the recording that is imitated. `Engine` is the
bot's side: it keeps worker processes and speaks to them through pipes. Everything that computes lives in the worker,
so nothing here that imports numpy, espeak-ng or WORLD is imported by the bot itself.
"""
