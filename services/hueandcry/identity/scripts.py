"""Tables of transliteration into the Latin capitals of a machine readable zone. Data only.

Sources:

* Latin, Cyrillic, Arabic: ICAO Doc 9303 part 3 (eighth edition), section 6, tables A, B and C, and for two letters of
  foreign names its appendix B. Where table A allows several spellings the first is taken (Ä is AE, Ñ is N).
* Greek: ICAO has no table. ELOT 743 (2nd edition), which Greek passports follow.

Where we leave table B: it makes Serbian Г an H, though Serbian papers write G, so we write G; it prints Ћ at the code
of Ђ and lacks Ћ, Ѓ and Ь, and puts the Macedonian GJ on Ғ, so we give both of the first two D and C as the papers of
the state do without their accents, GJ to Ѓ, and leave Ь out.
"""

from __future__ import annotations

from hueandcry.identity.reading import words

# Only what does not follow from taking the accent off.
LATIN = {
    "Ä": "AE", "Å": "AA", "Æ": "AE", "Ð": "D", "Ö": "OE", "Ø": "OE", "Ü": "UE", "Þ": "TH", "Đ": "D", "Ħ": "H",
    "Ĳ": "IJ", "Ŀ": "L", "Ł": "L", "Ŋ": "N", "Œ": "OE", "Ŧ": "T", "ẞ": "SS", "Ə": "A",
}  # fmt: skip

CYRILLIC = {
    "Ё": "E", "Ђ": "D", "Є": "IE", "Ѕ": "DZ", "І": "I", "Ї": "I", "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ќ": "K", "Ў": "U",
    "Џ": "DZ", "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ж": "ZH", "З": "Z", "И": "I", "Й": "I",
    "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F",
    "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU",
    "Я": "IA", "Ѫ": "U", "Ѵ": "Y", "Ґ": "G", "Ғ": "G", "Һ": "C", "Ѓ": "G", "Ћ": "C",
}  # fmt: skip

_SERBIAN = {"Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"}
_MACEDONIAN = {"Ѓ": "GJ", "Ќ": "KJ", "Џ": "DJ", "Х": "H", "Ц": "C"}

# By state of nationality, for the languages for which table B has exceptions.
CYRILLIC_BY_STATE: dict[str, dict[str, str]] = {
    "BLR": {"Г": "H", "Ё": "IO"},
    "UKR": {"Г": "H", "И": "Y"},
    "BGR": {"Щ": "SHT"},
    "SRB": _SERBIAN,
    "MNE": _SERBIAN,
    "BIH": _SERBIAN,
    "MKD": _MACEDONIAN,
}
# Ukrainian letters that are written otherwise at the start of a name.
UKRAINIAN_INITIALS = {"Є": "YE", "Ї": "YI", "Й": "Y", "Ю": "YU", "Я": "YA"}

# Vowel signs, tatweel and superscript alef are not encoded. Shadda and teh marbuta go by rule, not by letter.
ARABIC = {
    "ء": "XE", "آ": "XAA", "أ": "XAE", "ؤ": "U", "إ": "I", "ئ": "XI", "ا": "A", "ب": "B", "ة": "XTA", "ت": "T",
    "ث": "XTH", "ج": "J", "ح": "XH", "خ": "XKH", "د": "D", "ذ": "XDH", "ر": "R", "ز": "Z", "س": "S", "ش": "XSH",
    "ص": "XSS", "ض": "XDZ", "ط": "XTT", "ظ": "XZZ", "ع": "E", "غ": "G", "ف": "F", "ق": "Q", "ك": "K", "ل": "L",
    "م": "M", "ن": "N", "ه": "H", "و": "W", "ى": "XAY", "ي": "Y", "ٱ": "XXA", "ٹ": "XXT", "ټ": "XRT", "پ": "P",
    "ځ": "XKE", "څ": "XXH", "چ": "XC", "ڈ": "XXD", "ډ": "XDR", "ڑ": "XXR", "ړ": "XRR", "ږ": "XRX", "ژ": "XJ",
    "ښ": "XXS", "ک": "XKK", "ګ": "XXK", "ڭ": "XNG", "گ": "XGG", "ں": "XNN", "ڼ": "XXN", "ھ": "XDO", "ۀ": "XYH",
    "ہ": "XXG", "ۂ": "XGE", "ۃ": "XTG", "ی": "XYA", "ۍ": "XXY", "ې": "Y", "ے": "XYB", "ۓ": "XBE", "ڤ": "V", "ڥ": "XF",
    "ڜ": "", "ڢ": "", "ڧ": "", "ڨ": "",
}  # fmt: skip
ARABIC_NOT_ENCODED = "\u0640\u064b\u064c\u064d\u064e\u064f\u0650\u0652\u0670"
SHADDA = "\u0651"
TEH_MARBUTA, TEH_MARBUTA_AT_END = "ة", "XAH"

GREEK = {
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Θ": "TH", "Ι": "I", "Κ": "K", "Λ": "L",
    "Μ": "M", "Ν": "N", "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S", "Τ": "T", "Υ": "Y", "Φ": "F", "Χ": "CH",
    "Ψ": "PS", "Ω": "O",
}  # fmt: skip
GREEK_VOICED = "ΒΓΔΖΛΜΝΡΑΕΗΙΟΥΩ"

# Chinese surnames of two characters, and surnames that are not read as the character usually is.
HAN_DOUBLE_SURNAMES = frozenset(
    words(
        "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 司徒 令狐 宇文 长孙 夏侯 端木 轩辕 南宫 独孤 西门 百里 呼延 闻人 "
        "歐陽 司馬 諸葛 東方 尉遲 公孫 長孫 軒轅 南宮 獨孤 西門 聞人"
    )
)
HAN_SURNAME_READINGS = {
    "单": "SHAN", "曾": "ZENG", "仇": "QIU", "解": "XIE", "查": "ZHA", "区": "OU", "區": "OU", "任": "REN",
    "朴": "PIAO", "盖": "GE", "尉迟": "YUCHI", "尉遲": "YUCHI", "翟": "ZHAI", "乐": "YUE", "缪": "MIAO", "召": "SHAO",
    "長孫": "ZHANGSUN", "长孙": "ZHANGSUN", "單": "SHAN",
}  # fmt: skip
