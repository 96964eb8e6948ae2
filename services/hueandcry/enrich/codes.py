"""Names of codes: states and offences.

States: ISO 3166-1 alpha-3 by the library pycountry, and the codes that ICAO Doc 9303 part 3, section 5, adds for
travel documents. Offences: UNODC, International Classification of Crime for Statistical Purposes, version 1.0 (2015):
the sections, their divisions, and those deeper codes that Eurostat publishes (crim_off_cat). A code below what stands
here is named by the nearest one above it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import pycountry

_ICAO_STATES = {
    "D": "Germany", "EUE": "European Union", "GBD": "British Overseas Territories citizen",
    "GBN": "British National (Overseas)", "GBO": "British Overseas citizen", "GBP": "British protected person",
    "GBS": "British subject", "RKS": "Kosovo", "UNA": "Specialized agency of the United Nations",
    "UNK": "Resident of Kosovo (UN Interim Administration Mission)", "UNO": "United Nations Organization",
    "UTO": "Utopia (specimens)", "XBA": "African Development Bank", "XCC": "Caribbean Community",
    "XCE": "Council of Europe", "XCO": "Common Market for Eastern and Southern Africa",
    "XEC": "Economic Community of West African States", "XIM": "African Export-Import Bank",
    "XOM": "Sovereign Order of Malta",
    "XPO": "Interpol", "XXA": "Stateless person", "XXB": "Refugee (1951 Convention)", "XXC": "Refugee (other)",
    "XXX": "Unspecified nationality",
}  # fmt: skip

_OFFENCES = {
    "01": "Acts leading to death or intending to cause death",
    "0101": "Intentional homicide",
    "0102": "Attempted intentional homicide",
    "0103": "Non-intentional homicide",
    "0104": "Assisting or instigating suicide",
    "0105": "Euthanasia",
    "0106": "Illegal feticide",
    "0107": "Unlawful killing associated with armed conflict",
    "0109": "Other acts leading to death or intending to cause death",
    "02": "Acts causing harm or intending to cause harm to the person",
    "0201": "Assaults and threats",
    "020111": "Serious assault",
    "0202": "Acts against liberty",
    "020221": "Kidnapping",
    "0203": "Slavery and exploitation",
    "0204": "Trafficking in persons",
    "0205": "Coercion",
    "0206": "Negligence",
    "0207": "Dangerous acts",
    "0208": "Acts intended to induce fear or emotional distress",
    "0209": "Defamation or insult",
    "0210": "Discrimination",
    "0211": "Acts that trespass against the person",
    "0219": "Other acts causing harm or intending to cause harm to the person",
    "03": "Injurious acts of a sexual nature",
    "0301": "Sexual violence",
    "03011": "Rape",
    "03012": "Sexual assault",
    "0302": "Sexual exploitation",
    "030221": "Child pornography",
    "0309": "Other injurious acts of a sexual nature",
    "04": "Acts against property involving violence or threat against a person",
    "0401": "Robbery",
    "0409": "Other acts against property involving violence or threat against a person",
    "05": "Acts against property only",
    "0501": "Burglary",
    "05012": "Burglary of private residential premises",
    "0502": "Theft",
    "05021": "Theft of a motorized vehicle or parts thereof",
    "0503": "Intellectual property offences",
    "0504": "Property damage",
    "0509": "Other acts against property only",
    "06": "Acts involving controlled drugs or other psychoactive substances",
    "0601": "Unlawful acts involving controlled drugs or precursors",
    "0602": "Unlawful acts involving alcohol, tobacco or other controlled substances",
    "0609": "Other acts involving controlled drugs or other psychoactive substances",
    "07": "Acts involving fraud, deception or corruption",
    "0701": "Fraud",
    "0702": "Forgery/counterfeiting",
    "0703": "Corruption",
    "07031": "Bribery",
    "0704": "Acts involving the proceeds of crime",
    "07041": "Money laundering",
    "0709": "Other acts involving fraud, deception or corruption",
    "08": "Acts against public order, authority and provisions of the State",
    "0801": "Acts against public order behavioural standards",
    "0802": "Acts against public order sexual standards",
    "0803": "Acts related to freedom or control of expression",
    "0804": "Acts contrary to public revenue or regulatory provisions",
    "0805": "Acts related to migration",
    "0806": "Acts against the justice system",
    "0807": "Acts related to democratic elections",
    "0808": "Acts contrary to labour law",
    "0809": "Other acts against public order, authority and provisions of the State",
    "09": "Acts against public safety and State security",
    "0901": "Acts involving weapons, explosives and other destructive materials",
    "0902": "Acts against health and safety",
    "0903": "Acts against computer systems",
    "0904": "Acts against State security",
    "0905": "Acts related to an organized criminal group",
    "09051": "Participation in an organized criminal group",
    "0906": "Terrorism",
    "0907": "Non-injurious traffic violations",
    "0909": "Other acts against public safety and State security",
    "10": "Acts against the natural environment",
    "1001": "Acts that cause environmental pollution or degradation",
    "1002": "Acts involving the movement or dumping of waste",
    "1003": "Trade or possession of prohibited or controlled species of fauna and flora",
    "1004": "Acts that result in the depletion or degradation of natural resources",
    "1009": "Other acts against the natural environment",
    "11": "Other criminal acts not elsewhere classified",
    "1101": "Acts under universal jurisdiction",
    "1109": "Other criminal acts not elsewhere classified",
}


def _states() -> dict[str, str]:
    names = dict(_ICAO_STATES)
    for country in cast("list[Any]", list(pycountry.countries)):
        names[country.alpha_3] = getattr(country, "common_name", country.name)
    return names


_STATES = _states()


def state_name(code: str) -> str | None:
    """English name of a state or of an ICAO code for those who have none; None where the code is not known."""
    return _STATES.get(code)


@lru_cache(maxsize=1024)
def offence_name(code: str) -> str | None:
    """Name of an ICCS code, or of the nearest code above it; None where not even its section is known."""
    while code:
        if code in _OFFENCES:
            return _OFFENCES[code]
        code = code[:-1]
    return None
