"""Names of other scripts in Latin letters, so that `Иванова` and `Ivanova` are found alike. Never shown, never proof.

Cyrillic and Greek letter by letter, in the spelling most passports use (ICAO Doc 9303 part 3, section 6, rounded to
plain letters); Arabic and Persian by their consonants, which leaves the short vowels to the likeness of the search.
Other scripts stay as they are.
"""

import re
from typing import Final

_CYRILLIC: Final = (
    "аa бb вv гg ґg дd ђd еe ѓg єie жzh зz ѕdz иi іi їi йi јj кk лl љlj мm нn њnj оo пp рr сs тt ќk ћc уu ўu фf хkh"
    " цts чch џdz шsh щshch ъie ыy ь- эe юiu яia ғg қk ңn өo ұu үu һh әa"
)
_GREEK: Final = "αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo"
_ARABIC: Final = (
    "اa ٱa بb پp تt ٹt ثth جj چch حh خkh دd ڈd ذdh رr ڑr زz ژzh سs شsh صs ضd طt ظz ع- غgh فf قq كk کk گg لl مm نn ںn هh"
    " ہh ھh ةa وw يy یy ىa ےy ء- ؤw ئy"
)
_LETTERS: Final = {
    pair[0]: pair[1:].replace("-", "") for pair in f"{_CYRILLIC} {_GREEK} {_ARABIC}".split() if len(pair) > 1
}
_OTHER: Final = re.compile("[\u0370-\u03ff\u0400-\u04ff\u0600-\u06ff]")


_VOWELS: Final = re.compile(r"(?<=\w)[aeiou]")
_TWICE: Final = re.compile(r"(\w)\1")


def consonants(written: str) -> str:
    """A Latin name as a script without short vowels leaves it: `ahmed` is `ahmd`, `muhammad` is `mhmd`."""
    return _TWICE.sub(r"\1", _VOWELS.sub("", written))


def latin(folded: str) -> str:
    """A folded name (people.queries.fold) in Latin letters; "" when it has nothing to write differently."""
    if not _OTHER.search(folded):
        return ""
    return "".join(_LETTERS.get(letter, letter) for letter in folded)
