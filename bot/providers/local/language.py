"""Which language a text is in, and which of espeak-ng's voices reads it."""

import re
import unicodedata
from collections import Counter

ENGLISH = "en"
# espeak-ng's names where they are not the language code itself
_VOICES = {
    "en": "en-us",
    "zh": "cmn",
    "pt-br": "pt-br",
    "iw": "he",
    "no": "nb",
    "nn": "nb",
    "fil": "id",
    "tl": "id",
    "in": "id",
    "zh-hk": "yue",
    "zh-yue": "yue",
    "es-mx": "es-419",
    "es-419": "es-419",
    "fr-be": "fr-be",
    "fr-ch": "fr-ch",
}
_SPOKEN = (
    "af am an ar as az ba be bg bn bs ca cmn cs cv cy da de el eo es et eu fa fi fr ga gd gn gu hak he hi hr ht hu hy "
    "ia id is it ja ka kk kn ko kok ku ky la lb lt lv mi mk ml mr ms mt my nb ne nl om or pa pl ro ru sd si sk sl sq "
    "sr sv sw ta te th tk tn tr tt ug uk ur uz vi yue"
)
_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "cmn",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am",
    "SINHALA": "si",
    "MYANMAR": "my",
}
_SMALL_WORDS = {
    "en": "the and is are was you to of in it that i for on with this have not be my what do your a we he she they can",
    "de": "der die das und ist nicht ich du wir sie ein eine zu mit auf den dem von für es auch was wie bin hast",
    "fr": "le la les et est une je tu nous vous pas des du dans que qui pour sur avec ce cette mais c'est j'ai au un",
    "es": "el la los las y es un una yo no que de en por para con mi está como pero muy qué eres del se al",
    "it": "il lo la gli e è un una non che di per con mi sono come ma questo della nel ho ciao anche si dei",
    "pt": "o a os as e é um uma não que de em por para com meu como mas muito você está do da isso eu são",
    "nl": "de het een en is niet ik je wij zij van op met voor dat dit maar ook aan zijn hoe wat heb naar",
    "pl": "i w nie na jest się to że do z co jak ale ja ty czy mam dla po jestem tak już",
    "sv": "och är inte jag du det en ett på med för som har vi att den av till men hur vad",
    "tr": "ve bir bu ne için çok ben sen değil mi var yok ama gibi da de nasıl bugün",
}
_SMALL = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}
# letters that say more than a word does
_LETTERS = {
    "de": "ßäöü",
    "es": "ñ¿¡",
    "pl": "łżźśćńęą",
    "pt": "ãõ",
    "tr": "ğışİ",
    "sv": "å",
    "fr": "çœêèà",
    "it": "ìòù",
}


def guess(text: str) -> str:
    """Guess the language of a text: by script, then by its small words; English where nothing speaks against it."""
    scripts = Counter(unicodedata.name(letter, " ").split(" ")[0] for letter in text if letter.isalpha())
    if scripts["HIRAGANA"] or scripts["KATAKANA"]:
        return "ja"
    known = [(count, script) for script, count in scripts.items() if script in _SCRIPTS]
    if known and max(known)[0] > scripts["LATIN"]:
        script = max(known)[1]
        return "uk" if script == "CYRILLIC" and set(text.lower()) & set("іїєґ") else _SCRIPTS[script]
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    votes = {language: float(sum(word in small for word in words)) for language, small in _SMALL.items()}
    for language, letters in _LETTERS.items():
        votes[language] += 0.5 * sum(letter in letters for letter in text.lower())
    best = max(votes, key=lambda language: votes[language])
    return best if votes[best] > votes[ENGLISH] else ENGLISH


def voice_for(language: str) -> str:
    """Name espeak-ng's voice for a BCP 47 code; English where it has none."""
    code = language.lower().replace("_", "-")
    base = code.split("-")[0]
    return _VOICES.get(code) or _VOICES.get(base) or (base if base in _SPOKEN.split() else _VOICES[ENGLISH])
