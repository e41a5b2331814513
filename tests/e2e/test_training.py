import time, pytest
from playground.services.service import Fault
from playground.services.sound import babble, encode
from tests.e2e.stage import *
from tests.e2e.conftest import *
pytestmark = pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("form", ["opus","mp3", "wav", "pcm"])
async def test_x(new_house, form):
    async with new_house(providers=("fish",), chosen={"format": form}) as house:
        scene=house.enter()
        await scene.clones()
        house.service.fail("POST /v1/tts", *[Fault(endless=True, body=encode(babble("hello you all out there"*40), form), content_type="audio/x")]*3)
        t=time.time()
        a = await (await scene.alice.slash("say", text="Hello out there.", where="file")).settled(120)
        print(form, a.text, time.time()-t, house.service.count("POST","/v1/tts")); t=time.time()
async def test_y(new_house):
    async with new_house(providers=("acedata",)) as house:
        scene=house.enter()
        await scene.clones()
        house.service.results.serves="endless"
        t=time.time()
        a = await (await scene.alice.slash("say", text="Hello out there.", where="file")).settled(120)
        print(a.text, time.time()-t, house.service.count("POST","/fish/tts")); t=time.time()
