"""What many tests have a member do. Knows no fault."""

from playground.discord import Answer
from tests.e2e import uploads
from tests.e2e.ears import Recogniser, read_file, sentence, words
from tests.e2e.stage import PATIENCE, Scene


async def confirmed(scene: Scene, name: str = "Aki") -> Answer:
    """Clone, confirm, and return while the voice is being made."""
    draft = await (await scene.alice.slash("clone", name=name, sample=uploads.recording(whole=True))).settled(PATIENCE)
    answer = await scene.alice.click(draft, draft.buttons[0])
    assert answer.content == f"Making {name} …"
    return answer


async def speaks(scene: Scene, recogniser: Recogniser, number: int, **options: str) -> None:
    """Prove that the bot still speaks."""
    answer = await scene.alice.slash("say", text=sentence(number), where="file", **options)
    (file,) = await answer.followed(timeout=PATIENCE)
    ((_, data),) = file.files.items()
    assert recogniser.hear(read_file(data).sound) == words(sentence(number))
