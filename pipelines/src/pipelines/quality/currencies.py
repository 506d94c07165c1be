"""Currencies and their decimals (minor units). Source: ISO 4217, list one, as its agency (SIX) published it 2026-01-01.

Every active code that has a minor unit is here, the nine of funds and units of account that people invoice in (CLF,
COU, UYI, ...) and the Arab accounting dinar too. The thirteen codes whose minor unit the list calls "N.A." are not:
metals (XAG, XAU, XPD, XPT), bond market units (XBA to XBD), units between banks (XDR, XSU, XUA), tests (XTS) and no
currency (XXX) are nothing that an amount is paid in.
"""

from __future__ import annotations

from typing import Final

USUAL: Final = 2
"""Decimals of a currency that is not known: another rule says that it is none."""

_NONE: Final = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
"""
_TWO: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
    COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
    MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_THREE: Final = """
    BHD IQD JOD KWD LYD OMR TND
"""
_FOUR: Final = """
    CLF UYW
"""
DECIMALS: Final[dict[str, int]] = {
    code: decimals for decimals, codes in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()
}
"""Decimals of every currency in use, by its code."""


def scale_of(currency: str) -> str:
    """SQL of ten to the power of the decimals of a currency, `currency` being the SQL of its code."""
    codes = {n: ", ".join(f"'{code}'" for code in DECIMALS if DECIMALS[code] == n) for n in (0, 3, 4)}
    cases = " ".join(f"WHEN {currency} IN ({known}) THEN {10**n}" for n, known in codes.items())
    return f"CASE {cases} ELSE {10**USUAL} END"
