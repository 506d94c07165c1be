"""Currencies and their decimals (minor units). Source: ISO 4217:2015, list one of its maintenance agency, SIX, as of 2026.

The codes of funds, precious metals and tests (XAU, XDR, XXX, ...) are no currencies that somebody pays in, and are not
here.
"""

from __future__ import annotations

from typing import Final

USUAL_DECIMALS: Final = 2

OTHER_DECIMALS: Final[dict[int, frozenset[str]]] = {
    0: frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()),
    3: frozenset("BHD IQD JOD KWD LYD OMR TND".split()),
}
"""Currencies by their decimals, where these are not the usual two."""

CURRENCIES: Final[frozenset[str]] = frozenset(
    """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
        CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
        KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
        NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
        TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
        """.split()
).union(*OTHER_DECIMALS.values())
"""Codes of the currencies in use."""


def scale_of(currency: str) -> str:
    """SQL of ten to the power of the decimals of a currency: a column's or a literal's SQL in, an integer out."""
    cases = " ".join(
        f"WHEN {currency} IN ({', '.join(repr(code) for code in sorted(codes))}) THEN {10**decimals}"
        for decimals, codes in OTHER_DECIMALS.items()
    )
    return f"CASE {cases} ELSE {10**USUAL_DECIMALS} END"
