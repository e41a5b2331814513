"""Mynah: a Discord bot that clones voices.

A cog reads the interaction, calls one rule, and answers. Rules live in `bot/voices.py` and `bot/speech.py` and their
neighbours, and have never heard of Discord. Below them stand three rooms that do not know each other: providers (clone
and synthesize), store (SQL), audio (bytes). `bot/__main__.py` builds it all from the ground up and takes it down in
reverse.

    Discord --interaction-->  cogs/                    parse, call, answer            knows Discord
                                |        \\---------->  bot/playback/   speak in a channel   knows Discord
                                v
                              bot/voices.py speech.py  the rules                      knows no Discord
                     +----------+-----------+
                     v          v           v
              bot/providers  bot/store   bot/audio     HTTP/engine . SQL . bytes      do not know each other
                     +----------+-----------+
                                v
                     bot/models.py  bot/errors.py      nouns and failures             know nothing
"""

__version__ = "0.1.0"
