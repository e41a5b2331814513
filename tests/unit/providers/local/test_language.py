import pytest

from bot.providers.local.espeak import Espeak
from bot.providers.local.language import _SPOKEN, _VOICES, guess, voice_for


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is the station?", "en"),
        ("hello", "en"),
        ("", "en"),
        ("1234 !!", "en"),
        ("こんにちは、世界", "ja"),
        ("日本語を話します", "ja"),
        ("안녕하세요", "ko"),
        ("你好,世界", "cmn"),
        ("Привет, как дела?", "ru"),
        ("Привіт, як твої справи?", "uk"),
        ("Καλημέρα", "el"),
        ("مرحبا بالعالم", "ar"),
        ("שלום עולם", "he"),
        ("नमस्ते दुनिया", "hi"),
        ("สวัสดีครับ", "th"),
        ("Ich weiß nicht, wo der Bahnhof ist", "de"),
        ("Je ne sais pas où est la gare", "fr"),
        ("No sé dónde está la estación", "es"),
        ("Non so dove è la stazione", "it"),
        ("Eu não sei onde está o trem", "pt"),
        ("Ik weet niet waar het station is", "nl"),
        ("Nie wiem, gdzie jest dworzec", "pl"),
        ("Jag vet inte var det är", "sv"),
        ("Bu çok güzel bir gün", "tr"),
        ("I love the word Привет", "en"),
    ],
)
def test_language_is_guessed_from_script_and_small_words(text: str, language: str) -> None:
    assert guess(text) == language


@pytest.mark.parametrize(
    ("code", "voice"),
    [("en", "en-us"), ("en-GB", "en-us"), ("zh-CN", "cmn"), ("pt-BR", "pt-br"), ("de_AT", "de"), ("tlh", "en-us")],
)
def test_code_finds_its_voice_or_falls_back_to_english(code: str, voice: str) -> None:
    assert voice_for(code) == voice


def test_every_voice_is_one_that_espeak_has() -> None:
    espeak = Espeak()
    voices = {*_VOICES.values(), *_SPOKEN.split()}

    spoken = {voice for voice in voices if espeak.say("hello", f"{voice}+f2").samples.any()}

    assert spoken == voices
