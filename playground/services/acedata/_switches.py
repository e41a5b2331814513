"""How the stand-in behaves, where the documents differ or a test wants trouble. Behaves in no way itself."""

from typing import Literal

from playground.services.acedata._refusals import Trouble
from playground.services.acedata._tasks import Callbacks, Ending, TaskShape
from playground.services.service import Service
from playground.services.sound import Form, Speak, babble

_FORMS: tuple[Form, ...] = ("mp3", "wav", "pcm", "opus")


class Switches(Service):
    """Owns the switches, set to what the newest documents say."""

    def __init__(self, *, speak: Speak = babble) -> None:
        super().__init__(speak=speak)
        self.voices_accepts: Literal["string", "list", "both"] = "both"
        """How the links of a new voice's recordings may be written; the documents differ."""
        self.thin_create = False
        """Whether a new voice is answered as in the OpenAPI example."""
        self.trained_after = 0
        """How many reads a new voice takes until it is trained; 0: it is made trained."""
        self.fails_training = False
        """Whether new voices fail instead of being trained."""
        self.forced_visibility: Literal["public", "unlist", "private"] | None = None
        """What a new voice is given whatever was asked."""
        self.formats: tuple[Form, ...] = _FORMS
        """Which formats there are; older guides have fewer."""
        self.format_required = False
        self.content_form: Form | None = None
        """What is in every result, where it is not what was asked for."""
        self.started_at: Literal["number", "text"] = "number"
        """How the beginning of a task is told."""

        self.ends_after = 2
        """The ask that finds a task ended, counted from 1."""
        self.hiccups = 0
        """At how many asks before that a task tells an error in bare words, which it survives."""
        self.ending: Ending = "finished"
        """How new tasks end, and how that is told."""
        self.failure: Trouble = "api_error"
        """What is said of tasks that fail with a code."""
        self.task_shape: TaskShape = "record"
        self.callbacks: Callbacks = "once"

        self.bare_errors = False
        """Whether errors leave out `success`."""
        self.barred: dict[str, Trouble] = {}
        """Why a key is refused whatever it asks."""
        self.busy = 0
        """The next so many requests meet the rate limit."""
