"""Alerts out of other formats and into them: bytes in, alerts and losses out. Pure, as the core is.

reading     what an adapter is given and gives back: Context, Defaults, Reading, Loss, Refusal
formats     read(data, context): any format, told apart by sniff
sheet       drawing one alert: defaults, rules, losses
stix        STIX 2.1 and 2.0 to alerts; stix_pattern, stix_markings, stix_own; stix_objects is the way back
misp        MISP events
cap         CAP 1.1 and 1.2; cap_words
niem        NIEM warrants and vehicles
ncic        text messages of NCIC's kind; ncic_codes
"""
