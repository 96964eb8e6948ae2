"""Codes of NCIC (the FBI's National Crime Information Center), which are not ISO's: AU is Austria, NE the Netherlands.

Source of countries and of Canada's provinces: NIEM, code list ncic 5.0.1 (after the NCIC Code Manual, State and Country
codes). States of the United States have their postal codes but for Nebraska, which is NB. Colours and makes: NCIC Code
Manual, Vehicular Data Codes (VCO, VMA), the usual ones. Codes that left the manual with their country (YG), that stand
for several places, or that name an uninhabited possession are not here: what is not here is told, not guessed.
"""

from __future__ import annotations

_COUNTRIES = (  # noqa: SIM905 (a table)
    "AA ALB AD AND AE AIA AF AFG AI ATG AJ ABW AN DZA AO AGO AP ARM AS AUS AT ARG AU AUT AV AZE BB BRB BD BHS BE BHR "
    "BG BEL BH BLZ BI BDI BL BGD BM BMU BN BTN BO IOT BP BIH BQ BVT BR MMR BS SLB BT BWA BU BGR BV BOL BX BRN BY BLR "
    "BZ BRA CB COL CC CUB CD CAN CF TCD CJ KHM CM CMR CP CYM CQ CHL CR CRI CS CYP CV CPV CW CAF CY LKA DD CCK DG COM "
    "DH BEN DI COK DK DNK DM DMA DN DJI DR DOM EK GNQ EL SLV EN GBR EO ETH ES EST ET ERI EU ECU EY EGY EZ CZE FA FLK "
    "FD FIN FG GUF FJ FJI FN FRA FO FRO FP PYF FR ATF FS FSM GB GAB GC GRC GD GEO GE DEU GF GGY GG GHA GI GIN GJ GRD "
    "GK GMB GN GRL GP GLP GS SGS GT GTM GY GUY HD HND HE HMD HK HKG HN VUT HR CXR HS SHN HT HTI HU HUN IB IMN IC ISL "
    "IE IRL II IND IO IDN IQ IRQ IR IRN IS ISR IT ITA IU NIU IY CIV JA JPN JE JEY JM JAM JO JOR KB KIR KC HRV KE KEN "
    "KN PRK KO KOR KT KAZ KU KWT KZ KGZ LB LBR LD MDA LE LSO LF SVK LH LTU LI LIE LN LBN LO SVN LS LAO LT LVA LU LCA "
    "LX LUX LY LBY MF MWI MG MNG MJ MCO ML MLI MM MEX MP MDG MQ MAR MU MRT MV MDV MY MLT MZ MYS NE NLD NG NGA NI GBR "
    "NN NER NO PNG NP NPL NQ NCL NR NRU NU NIC NW NOR NZ NZL OC MAC OF NFK OM OMN PC PCN PD PLW PG GNB PI PHL PK PAK "
    "PM PAN PO POL PS SPM PT PRT PU PER PV PRY QA QAT RA RUS RB COG RC CHN RE REU RF RUS RG GIB RH ZWE RR MSR RS ESH "
    "RU ROU RV VNM RW RWA RY YEM SA SLE SB SAU SE SYC SF ZAF SG SEN SH SMR SJ NAM SM SOM SP ESP SQ SWE SR SGP SS GBR "
    "SU SDN SV SJM SW SWZ SY SYR SZ CHE TC ARE TG TON TH THA TJ TJK TK TKL TO TGO TP STP TR TCA TS KNA TT TTO TU TUN "
    "TV TUV TW TWN TY TUR TZ TZA UG UGA UK UKR UM MUS UN GBR UR TKM US USA UV BFA UY URY UZ UZB VB VGB VV VCT VY VAT "
    "VZ VEN WF WLF WL GBR WS WSM XA SRB XB MNE YO MYT ZB MTQ ZC SUR ZD MKD ZF SSD ZM ZMB ZO MOZ ZR COD"
).split()
_STATES = (  # noqa: SIM905 (a table)
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NB NV NH NJ NM NY NC ND OH OK "
    "OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
).split()
_PROVINCES = {
    "AB": "AB", "BC": "BC", "MB": "MB", "NF": "NL", "NK": "NB", "NS": "NS", "NT": "NT", "ON": "ON", "PE": "PE",
    "PQ": "QC", "SN": "SK", "XN": "NU", "YT": "YT",
}  # fmt: skip
_TERRITORIES = {"GM": "GUM", "PR": "PRI", "VI": "VIR", "AM": "ASM", "MK": "MNP"}

#: By NCIC code, ISO 3166-1 alpha-3 and ISO 3166-2 (None for countries).
PLACES: dict[str, tuple[str, str | None]] = {
    **{code: (state, None) for code, state in zip(_COUNTRIES[::2], _COUNTRIES[1::2], strict=True)},
    **{code: (state, None) for code, state in _TERRITORIES.items()},
    **{code: ("CAN", f"CA-{part}") for code, part in _PROVINCES.items()},
    **{code: ("USA", f"US-{'NE' if code == 'NB' else code}") for code in _STATES},
}

COLOURS = {
    "AME": "amethyst", "BGE": "beige", "BLK": "black", "BLU": "blue", "BRO": "brown", "BRZ": "bronze",
    "CAM": "camouflage", "COM": "chrome", "CPR": "copper", "CRM": "cream", "DBL": "dark blue", "DGR": "dark green",
    "GLD": "gold", "GRN": "green", "GRY": "grey", "LAV": "lavender", "LBL": "light blue", "LGR": "light green",
    "MAR": "maroon", "MUL": "multicoloured", "MVE": "mauve", "ONG": "orange", "PLE": "purple", "PNK": "pink",
    "RED": "red", "SIL": "silver", "TAN": "tan", "TEA": "teal", "TPE": "taupe", "TRQ": "turquoise", "WHI": "white",
    "YEL": "yellow",
}  # fmt: skip
MAKES = {
    "ACUR": "ACURA", "ALFA": "ALFA ROMEO", "AUDI": "AUDI", "BMW": "BMW", "BUIC": "BUICK", "CADI": "CADILLAC",
    "CHEV": "CHEVROLET", "CHRY": "CHRYSLER", "DODG": "DODGE", "DUCA": "DUCATI", "FERR": "FERRARI", "FIAT": "FIAT",
    "FORD": "FORD", "FRHT": "FREIGHTLINER", "GMC": "GMC", "HD": "HARLEY-DAVIDSON", "HOND": "HONDA",
    "HYUN": "HYUNDAI", "INFI": "INFINITI", "INTL": "INTERNATIONAL", "JAGU": "JAGUAR", "JEEP": "JEEP",
    "KAWK": "KAWASAKI", "KIA": "KIA", "LEXS": "LEXUS", "LINC": "LINCOLN", "LNDR": "LAND ROVER", "MAZD": "MAZDA",
    "MERC": "MERCURY", "MERZ": "MERCEDES-BENZ", "MITS": "MITSUBISHI", "NISS": "NISSAN", "OLDS": "OLDSMOBILE",
    "PEUG": "PEUGEOT", "PONT": "PONTIAC", "PORS": "PORSCHE", "PTRB": "PETERBILT", "RENA": "RENAULT",
    "STRN": "SATURN", "SUBA": "SUBARU", "SUZI": "SUZUKI", "TESL": "TESLA", "TOYT": "TOYOTA",
    "VOLK": "VOLKSWAGEN", "VOLV": "VOLVO", "YAMA": "YAMAHA",
}  # fmt: skip
SEXES = {"M": "male", "F": "female", "U": "unknown", "X": "unspecified"}


def place(code: str) -> tuple[str, str | None] | None:
    """State and subdivision of a code of the field LIS or OLS; None for one that is not known."""
    return PLACES.get(code.strip().upper())


def country(code: str) -> str | None:
    """State of a code of the fields POB or CTZ: that of a part of a state is the state's."""
    found = place(code)
    return found[0] if found else None


def colours(codes: str) -> tuple[list[str], bool]:
    """Colours of a VCO, upper/lower parted by a slash, and whether all codes were known (others stay as they are)."""
    parts = [part for part in codes.upper().replace("-", "/").split("/") if part]
    return [COLOURS.get(part, part) for part in parts], all(part in COLOURS for part in parts)


def height_cm(text: str) -> int | None:
    """Centimetres of a height in feet and inches (507 is five feet seven inches)."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) == 3 and int(digits[1:]) < 12):
        return None
    return round((int(digits[0]) * 12 + int(digits[1:])) * 2.54)
