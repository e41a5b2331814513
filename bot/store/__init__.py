"""The store room: voices, each member's default voice and the kept samples, in any database SQLAlchemy speaks to.

The only room with SQL. Knows the nouns and the errors; does not know who asks, what a provider is, or how sound is
made.

    _store    `Store`, the door: one method per question, one transaction each
    _tables   what the database holds;  _rows  a `Voice` as a row and back
    _key      the key for kept samples;  _seal  what it does to them
    _schema   brings a database to the present tables, with the steps in `migrations/`
    _dialect  what SQLite (and PostgreSQL) must be told;  _faults  what they complain of, in words for a member
"""

from bot.store._key import load_key
from bot.store._store import Store

__all__ = ["Store", "load_key"]
