"""Currencies and their decimals (minor units). Source: ISO 4217:2015, list one (SIX, its agency).

The codes of funds, precious metals and tests (XAU, XDR, XXX, ...) are no currencies that somebody pays in, and are not
here.
"""

from __future__ import annotations

from typing import Final

USUAL: Final = 2
"""Decimals of a currency that is not known: another rule says that it is none."""

_NONE: Final = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
"""
_TWO: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
    CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_THREE: Final = """
    BHD IQD JOD KWD LYD OMR TND
"""
DECIMALS: Final[dict[str, int]] = {
    code: decimals for decimals, codes in ((0, _NONE), (2, _TWO), (3, _THREE)) for code in codes.split()
}
"""Decimals of every currency in use, by its code."""


def scale_of(currency: str) -> str:
    """SQL of ten to the power of the decimals of a currency, `currency` being the SQL of its code."""
    codes = {n: ", ".join(f"'{code}'" for code in DECIMALS if DECIMALS[code] == n) for n in (0, 3)}
    cases = " ".join(f"WHEN {currency} IN ({known}) THEN {10**n}" for n, known in codes.items())
    return f"CASE {cases} ELSE {10**USUAL} END"
