"""What the operator sets for each voice service. In the environment: the service, then the field: FISH_API_KEY."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

FishModel = Literal["s1", "s2-pro", "s2.1-pro", "s2.1-pro-free"]
SoundFormat = Literal["opus", "mp3", "wav", "pcm"]
UploadEncoding = Literal["multipart", "json_base64", "json_url"]


def _base(url: str) -> str:
    """Take an address with or without a slash at its end."""
    url = url.strip()
    if not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (or http:// for a server of your own)")
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or any(c.isspace() for c in url):
        raise ValueError("must be a whole address, as https://host or https://host:port/path")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("must have neither a user name nor a ? or # in it")
    return url.rstrip("/")


def _outside(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("must begin with https://, for recordings go that way")
    return url


BaseUrl = Annotated[str, AfterValidator(_base)]
PublicUrl = Annotated[str, AfterValidator(_base), AfterValidator(_outside)]


def strip_secret(secret: SecretStr | None) -> SecretStr | None:
    """Take a key without the blanks and line ends it was copied with; nothing but those is none."""
    bare = secret.get_secret_value().strip() if secret is not None else ""
    if any(not c.isprintable() or c.isspace() for c in bare):
        raise ValueError("has blanks or invisible signs in it: copy it anew")
    return SecretStr(bare) if bare else None


def _names(names: str) -> str:
    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found or max(map(len, found)) > 80:
        raise ValueError("must name at least one voice, of at most 80 letters, with commas between")
    return ", ".join(dict.fromkeys(found))


Secret = Annotated[SecretStr | None, AfterValidator(strip_secret)]


class _Service(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    api_key: Secret = None
    """The account's key; without it the service is off, unless it needs none."""


class FishSettings(_Service):
    """Fish Audio."""

    base_url: BaseUrl = "https://api.fish.audio"
    model: FishModel = "s2.1-pro"
    """What speaks; always sent, for without it the service takes its dearest."""
    transport: Literal["http", "websocket"] = "http"
    """How a line is spoken: one request, or a connection that is fed sentence by sentence."""
    format: SoundFormat = "opus"
    """How the sound is asked for; opus goes to Discord as it comes."""
    latency: Literal["low", "normal", "balanced"] = "balanced"
    enhance: bool = True
    """Have samples cleaned at the service before a voice is made."""
    transcribe: bool = False
    """Have samples without a transcript written down first, at a small cost; else the service does it for itself."""


class NovitaSettings(_Service):
    """HighwayAPI, MyRouter and Novita AI: one family, three addresses."""

    base_url: BaseUrl
    model: str = "s1"
    format: SoundFormat = "mp3"
    latency: Literal["low", "normal", "balanced"] = "balanced"
    upload: UploadEncoding = "multipart"
    """How recordings are sent: their documents contradict each other."""
    route: Literal["txt2speech", "s2_pro"] = "txt2speech"
    """Which way a line is spoken; s2_pro is newer and not everywhere."""
    enhance: bool = True


class HighwaySettings(NovitaSettings):
    """HighwayAPI (jiekou.ai)."""

    base_url: BaseUrl = "https://api.highwayapi.ai"


class MyRouterSettings(NovitaSettings):
    """MyRouter."""

    base_url: BaseUrl = "https://api.myrouter.ai"


class NovitaAISettings(NovitaSettings):
    """Novita AI."""

    base_url: BaseUrl = "https://api.novita.ai"


class AceDataSettings(_Service):
    """Ace Data Cloud."""

    base_url: BaseUrl = "https://api.acedata.cloud"
    model: Literal["s1", "s2-pro", "s2.1-pro"] = "s2-pro"
    mode: Literal["sync", "async", "callback", "legacy"] = "sync"
    """How a line is spoken: one request; a task that is asked after; a task that calls back (needs PUBLIC_URL); or the
    old POST /fish/audios, which calls back where it can."""
    voices: Literal["auto", "string", "list"] = "auto"
    """How one recording's link is sent: auto tries a string, then a list of one."""
    enhance: bool = True


class FishSpeechSettings(_Service):
    """A Fish Speech server of one's own. The address turns it on."""

    base_url: BaseUrl | None = None
    format: Literal["wav", "mp3"] = "wav"
    """wav is streamed; mp3 comes when all of it is made."""
    answers: Literal["msgpack", "json"] = "msgpack"
    """What the server is asked to answer in."""


class OpenAISettings(_Service):
    """Any server with OpenAI's /v1/audio/speech. The address turns it on."""

    base_url: BaseUrl | None = None
    """With its /v1 where it has one: https://api.openai.com/v1."""
    model: str = "gpt-4o-mini-tts"
    voices: Annotated[str, AfterValidator(_names)] = "alloy"
    """The ready-made voices offered to everybody, with commas between."""
    format: SoundFormat = "opus"
