"""Which names of columns tell of a person: for the linter that warns, and for the first contract of a new table.

A name is only a hint: what is found is proposed or warned of, and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

PERSONAL_NAMES: Final[Mapping[str, re.Pattern[str]]] = {
    kind: re.compile(rf"(?:^|_)(?:{words})(?:_|$)")
    for kind, words in {
        "e-mail address": r"e_?mail(?:_address)?|mail_address",
        "telephone number": r"(?:tele)?phone(?:_(?:no|number))?|mobile(?:_(?:no|number))?|fax|msisdn",
        "bank account": r"iban|bic|account_(?:no|number)|sort_code",
        "payment card": r"(?:credit_?|debit_?|payment_)?card_(?:no|number|pan)|credit_?card|pan",
        "name of a person": r"(?:first|last|full|given|family|maiden|middle|sur)_?name|surname|forename|"
        r"(?:customer|contact|person|patient|employee|cardholder|account_holder)_name",
        "number of a person": r"(?:customer|client|user|member|patient|person|employee|subscriber|cardholder)"
        r"_?(?:id|no|nr|number|key|ref)",
        "official number": r"ssn|social_security(?:_(?:no|number))?|national_id|passport(?:_(?:no|number))?|"
        r"tax_id|nino|nhs_number|driv(?:er|ing)_?licen[cs]e",
        "date of birth": r"birth_?(?:date|day)|date_of_birth|dob|born(?:_on)?",
        "postal address": r"street(?:_address)?|address(?:_line)?(?:_?\d)?|post_?code|zip(?:_?code)?|"
        r"(?:home|billing|shipping|postal|delivery)_address",
        "internet address": r"ip(?:_?addr(?:ess)?)?|ipv[46]|mac_address|device_id|cookie_id|imei",
        "place of a person": r"lat(?:itude)?|lon(?:gitude)?|lng|gps|geo_?location",
        "health or origin": r"diagnos[ie]s|ethnicity|religion|gender|sex",
    }.items()
}
"""Kind of personal data by the snake_case names that give it away (GDPR Art. 4(1), 9(1))."""


def personal_kind(name: str) -> str | None:
    """What kind of personal data a column of this snake_case name probably holds; ``None`` for none."""
    return next((kind for kind, pattern in PERSONAL_NAMES.items() if pattern.search(name)), None)
