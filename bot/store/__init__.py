"""The store room: voices, defaults, kept samples and lines not yet said, in any database SQLAlchemy speaks to.

The only room with SQL. Knows the nouns and the errors; does not know who asks, what a provider is, or how sound is
made.

    _store    `Store`, the door: one method per question, one transaction each
    _lines    `Lines`, the door of `Store.lines`: the lines that wait or are being said
    _database the connections, and transactions on them;  _reader  the threads in which SQLite is read
    _tables   what the database holds: voices, members, samples, lines;  _rows  a `Voice` as a row and back
    _key      the key for kept samples;  _seal  what it does to them, and to the words of lines
    _schema   brings a database to the present tables, with the steps in `migrations/`
    _dialect  what SQLite (and PostgreSQL) must be told;  _faults  what they complain of, in words for a member
"""

from bot.store._key import load_key
from bot.store._lines import Lines
from bot.store._store import Store

__all__ = ["Lines", "Store", "load_key"]
