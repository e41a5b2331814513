"""The commands: each reads the interaction, calls one rule, and answers. One file per command family."""

ALL = ("cogs.clone", "cogs.say", "cogs.voices", "cogs.channel", "cogs.queue", "cogs.replay")
