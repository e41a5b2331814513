"""What is taken from members' files, and what is refused with which words."""

import io
import resource
import struct
import tracemalloc
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.audio import Limits, decode
from bot.audio.loudness import loudness
from bot.audio.recording import RATE, silence
from bot.errors import SampleError
from tests.unit.audio.sounds import make_file, pcm, speak, tone

LIMITS = Limits(max_bytes=25_000_000, max_seconds=600)
SPEECH = speak(2.0)

KINDS = {
    "wav": ("wav", "pcm_s16le", 48_000),
    "wav, 24 bit, 96 kHz": ("wav", "pcm_s24le", 96_000),
    "wav, 8 bit, 8 kHz": ("wav", "pcm_u8", 8_000),
    "wav, floating point": ("wav", "pcm_f32le", 44_100),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "aac": ("adts", "aac", 44_100),
    "m4a": ("ipod", "aac", 48_000),
    "ogg opus": ("ogg", "libopus", 48_000),
    "flac": ("flac", "flac", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "mka": ("matroska", "libmp3lame", 44_100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_decode_reads_every_format_members_send(kind: str) -> None:
    container, codec, rate = KINDS[kind]

    recording = decode(make_file(SPEECH, container, codec, rate=rate), LIMITS)

    assert recording.samples.dtype == np.float32
    assert recording.samples.ndim == 1
    assert recording.seconds == pytest.approx(2.0, abs=0.06)
    assert loudness(recording.samples) == pytest.approx(loudness(SPEECH), abs=1.5)


def test_decode_reads_ogg_vorbis() -> None:
    data = make_file(SPEECH, "ogg", "vorbis", layout="stereo", options={"strict": "experimental"})

    assert decode(data, LIMITS).seconds == pytest.approx(2.0, abs=0.06)


def test_decode_takes_the_sound_of_a_video_and_leaves_the_pictures() -> None:
    data = make_file(SPEECH, "mov", "aac", video=True)

    assert decode(data, LIMITS).seconds == pytest.approx(2.0, abs=0.06)


def test_decode_mixes_both_sides_of_stereo() -> None:
    both = np.stack([SPEECH, silence(SPEECH.size)], axis=1).reshape(-1)
    data = _wav(pcm(both), channels=2)

    recording = decode(data, LIMITS)

    assert np.allclose(recording.samples, SPEECH / 2, atol=1e-3)


def test_decode_keeps_samples_within_full_scale() -> None:
    recording = decode(_float_wav(np.full(4800, 5.0, dtype=np.float32)), LIMITS)

    assert float(recording.samples.max()) == 1.0


def test_decode_takes_what_is_not_a_number_for_silence() -> None:
    recording = decode(_float_wav(np.full(4800, np.nan, dtype=np.float32)), LIMITS)

    assert not recording.samples.any()


def test_decode_gives_samples_nobody_writes_to() -> None:
    recording = decode(make_file(SPEECH, "wav", "pcm_s16le"), LIMITS)

    assert not recording.samples.flags.writeable


def test_decode_refuses_an_empty_file() -> None:
    with pytest.raises(SampleError, match="empty"):
        decode(b"", LIMITS)


def test_decode_refuses_a_picture_named_wav() -> None:
    room = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(room, "PNG")

    with pytest.raises(SampleError, match="not audio I can read"):
        decode(room.getvalue(), LIMITS)


def test_decode_refuses_a_zip_named_wav() -> None:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        archive.writestr("a.bin", np.random.default_rng(1).bytes(200_000))

    with pytest.raises(SampleError, match="not audio I can read"):
        decode(room.getvalue(), LIMITS)


@pytest.mark.parametrize("seed", range(5))
def test_decode_refuses_random_bytes(seed: int) -> None:
    with pytest.raises(SampleError, match="not audio I can read"):
        decode(np.random.default_rng(seed).bytes(100_000), LIMITS)


def test_decode_refuses_text() -> None:
    with pytest.raises(SampleError, match="not audio I can read"):
        decode(b"<!doctype html><title>Not found</title>" * 200, LIMITS)


def test_decode_refuses_a_video_without_sound() -> None:
    data = make_file(SPEECH, "mov", "aac", video=True, sound=False)

    with pytest.raises(SampleError, match="no sound"):
        decode(data, LIMITS)


def test_decode_refuses_a_header_without_sound() -> None:
    with pytest.raises(SampleError):
        decode(_wav(b""), LIMITS)


def test_decode_refuses_more_bytes_than_allowed_and_names_the_limit() -> None:
    with pytest.raises(SampleError, match="larger than 25 MB"):
        decode(b"\0" * 25_000_001, LIMITS)


@pytest.mark.parametrize(("seconds", "words"), [(600, "longer than 10 minutes"), (30, "longer than 30 seconds")])
def test_decode_stops_at_the_limit_of_seconds_and_names_it(seconds: float, words: str) -> None:
    hour = make_file(np.zeros(RATE * 660, dtype=np.float32), "flac", "flac")

    assert len(hour) < 200_000
    with pytest.raises(SampleError, match=words):
        decode(hour, Limits(max_bytes=25_000_000, max_seconds=seconds))


def test_decode_takes_a_recording_as_long_as_the_limit() -> None:
    data = make_file(SPEECH, "mp3", "libmp3lame")

    assert decode(data, Limits(max_bytes=25_000_000, max_seconds=2)).seconds == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("ipod", "aac"), ("ogg", "libopus"), ("flac", "flac"), ("wav", "pcm_s16le")],
)
@pytest.mark.parametrize("layout", ["5.1", "7.1"])
def test_decode_mixes_a_recording_of_many_channels_down(container: str, codec: str, layout: str) -> None:
    data = make_file(SPEECH, container, codec, layout=layout, bit_rate=256_000)

    recording = decode(data, LIMITS)

    heard, meant = (
        np.abs(each[: RATE * 19 // 10]).reshape(-1, RATE // 10).mean(axis=1) for each in (recording.samples, SPEECH)
    )
    assert recording.seconds == pytest.approx(2.0, abs=0.06)
    assert np.corrcoef(heard, meant)[0, 1] > 0.9


def test_decode_refuses_more_channels_than_allowed() -> None:
    data = _wav(pcm(SPEECH), channels=16)

    with pytest.raises(SampleError, match="16 channels"):
        decode(data, LIMITS)


@pytest.mark.parametrize("rate", [1, 1_000, 1_000_000])
def test_decode_refuses_a_rate_no_microphone_has(rate: int) -> None:
    with pytest.raises(SampleError):
        decode(_wav(pcm(SPEECH), rate=rate), LIMITS)


def test_decode_gives_up_when_the_time_allowed_is_over() -> None:
    data = make_file(SPEECH, "mp3", "libmp3lame")

    with pytest.raises(SampleError, match="too long to read"):
        decode(data, Limits(max_bytes=25_000_000, max_seconds=600, max_decode_seconds=-1.0))


@pytest.mark.parametrize("kind", ["wav", "mp3", "ogg opus", "flac", "webm", "aac"])
def test_decode_takes_what_is_there_of_a_cut_file(kind: str) -> None:
    container, codec, rate = KINDS[kind]
    data = make_file(SPEECH, container, codec, rate=rate)

    recording = decode(data[: len(data) * 2 // 3], LIMITS)

    assert 0.5 < recording.seconds < 1.7


def test_decode_believes_no_length_in_a_header() -> None:
    data = bytearray(make_file(SPEECH, "wav", "pcm_s16le"))
    position = data.index(b"data") + 4
    data[position : position + 4] = struct.pack("<I", 0x7FFFFFF0)

    assert decode(bytes(data), LIMITS).seconds == pytest.approx(2.0, abs=0.01)


def test_decode_passes_over_chunks_of_a_wav_and_believes_no_size_in_them() -> None:
    plain = make_file(SPEECH, "wav", "pcm_s16le")
    cover = b"LIST" + struct.pack("<I", 8) + b"INFOabcd"
    bomb = b"LIST" + struct.pack("<I", 0x96000000) + b"INFO" + b"INAM" + struct.pack("<I", 0x7F000000)

    assert decode(plain[:12] + cover + plain[12:], LIMITS).seconds == pytest.approx(2.0, abs=0.01)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SampleError, match="not audio I can read"):
        decode(plain[:12] + bomb + plain[12:], LIMITS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_decode_holds_a_file_of_one_huge_frame_a_few_times_only() -> None:
    size = 4_000_000
    room = io.BytesIO()
    with av.open(room, "w", format="matroska") as file:
        stream = file.add_stream("pcm_u8", rate=384_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.full((1, size), 140, dtype=np.uint8), "u8", "mono")
        frame.sample_rate = 384_000
        file.mux(stream.encode(frame))
    tracemalloc.start()
    try:
        recording = decode(room.getvalue(), LIMITS)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert recording.seconds == pytest.approx(size / 384_000, abs=0.01)
    assert most < 12 * size


def test_decode_takes_a_wav_of_more_than_4_gb_by_its_header() -> None:
    data = bytearray(make_file(SPEECH, "wav", "pcm_s16le"))
    data[:4] = b"RF64"

    assert decode(bytes(data), LIMITS).seconds == pytest.approx(2.0, abs=0.01)


def test_decode_goes_on_after_damage_in_the_middle() -> None:
    data = bytearray(make_file(SPEECH, "mp3", "libmp3lame"))
    middle = len(data) // 2
    data[middle : middle + 600] = b"\0" * 600

    assert decode(bytes(data), LIMITS).seconds > 1.5


def test_decode_opens_no_file_that_a_concat_script_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.flac").write_bytes(make_file(SPEECH, "flac", "flac"))
    monkeypatch.chdir(tmp_path)
    script = b"ffconcat version 1.0\nfile secret.flac\n"
    with av.open(io.BytesIO(script)) as unguarded:
        assert unguarded.streams.audio

    with pytest.raises(SampleError, match="not audio I can read"):
        decode(script, LIMITS)


@pytest.mark.parametrize(
    "script",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{path}\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'><BaseURL>{path}</BaseURL></MPD>",
        "ffconcat version 1.0\nfile '{path}'\n",
    ],
)
def test_decode_follows_no_playlist(script: str, tmp_path: Path) -> None:
    path = tmp_path / "secret.flac"
    path.write_bytes(make_file(SPEECH, "flac", "flac"))

    with pytest.raises(SampleError, match="not audio I can read"):
        decode(script.format(path=path).encode(), LIMITS)


def test_decode_passes_over_a_picture_in_the_tag() -> None:
    room = io.BytesIO()
    Image.new("RGB", (64, 64), "blue").save(room, "JPEG")
    body = b"\0image/jpeg\0\x03\0" + room.getvalue()
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = len(frame)
    tag = b"ID3\x03\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + frame

    recording = decode(tag + make_file(SPEECH, "mp3", "libmp3lame"), LIMITS)

    assert recording.seconds == pytest.approx(2.0, abs=0.06)


SMALL = [make_file(tone(0.3), container, codec, rate=rate) for container, codec, rate in KINDS.values()]
SMALL += [make_file(tone(0.3), "mov", "aac", video=True)]
SMALL += [make_file(tone(0.3), "ipod", "aac", layout="7.1", bit_rate=256_000)]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_decode_of_a_damaged_file_returns_or_refuses(data: st.DataObject) -> None:
    file = bytearray(data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(0, 20))):
        file[data.draw(st.integers(0, min(len(file) - 1, 4000)))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del file[data.draw(st.integers(0, len(file))) :]

    try:
        recording = decode(bytes(file), Limits(max_bytes=1_000_000, max_seconds=60, max_decode_seconds=5))
    except SampleError:
        return

    assert recording.samples.size
    assert np.isfinite(recording.samples).all()


def _wav(body: bytes, *, channels: int = 1, rate: int = RATE) -> bytes:
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    return _riff(fmt, body)


def _float_wav(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> bytes:
    return _riff(struct.pack("<HHIIHH", 3, 1, RATE, RATE * 4, 4, 32), samples.tobytes())


def _riff(fmt: bytes, body: bytes) -> bytes:
    head = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(body))
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(body)) + b"WAVE" + head + body
