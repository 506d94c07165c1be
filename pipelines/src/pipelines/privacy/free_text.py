"""Personal data in free text, by presidio-analyzer's pattern recognisers: expressions and check digits, no model.

What has a form is found: e-mail addresses, telephone and card numbers, IBANs, IP addresses, URLs, national numbers.
What has none is not: names of people, companies and places, addresses, anything that only its meaning gives away. A
column that may hold these is redacted, not searched.

Nothing is downloaded: the language's tokeniser is spaCy's blank one, and the list of top-level domains is the one that
comes with tldextract.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngine

LANGUAGE = "en"


def require() -> None:
    """Say in plain words that the packages are missing, where they are.

    Raises:
        PipelineError: presidio-analyzer is not installed.
    """
    if find_spec("presidio_analyzer") is None:
        raise PipelineError(
            "a column is masked by `detect` and presidio-analyzer is not installed",
            fix="pip install 'levee-pipelines[text]' beside the engine's extra, or mask the column by redact",
        )


def detected(text: str, entities: tuple[str, ...] = ()) -> str:
    """Return a text with everything that was found replaced by its kind, such as ``<EMAIL_ADDRESS>``.

    Args:
        text: Free text.
        entities: Kinds that are looked for; all by default.

    Raises:
        PipelineError: presidio-analyzer is not installed, or knows no such kind.
    """
    found = _analyzer(entities).analyze(text, language=LANGUAGE, entities=list(entities) or None)
    made, end = [], 0
    for result in sorted(found, key=lambda result: (result.start, -result.end, -result.score)):
        if result.start >= end:
            made.append(text[end : result.start] + f"<{result.entity_type}>")
        elif result.end <= end:
            continue  # inside what is replaced already
        end = max(end, result.end)
    return "".join(made) + text[end:]


@lru_cache(maxsize=8)
def _analyzer(entities: tuple[str, ...]) -> AnalyzerEngine:
    require()
    import tldextract
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    offline = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
    setattr(tldextract, "extract", offline)  # noqa: B010 - what presidio calls; its own asks the network
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE], nlp_engine=_blank_engine())
    registry.recognizers = [
        recognizer for recognizer in registry.recognizers if isinstance(recognizer, PatternRecognizer | PhoneRecognizer)
    ]
    known = {entity for recognizer in registry.recognizers for entity in recognizer.supported_entities}
    if strange := sorted(set(entities) - known):
        raise PipelineError(
            f"no pattern finds {strange[0]}", where="masking by detect", fix=f"name some of {', '.join(sorted(known))}"
        )
    return AnalyzerEngine(registry=registry, nlp_engine=_blank_engine(), supported_languages=[LANGUAGE])


@lru_cache(maxsize=1)
def _blank_engine() -> NlpEngine:
    import spacy
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        def load(self) -> None:
            self.nlp = {LANGUAGE: spacy.blank(LANGUAGE)}

    engine = Blank(models=[{"lang_code": LANGUAGE, "model_name": f"blank_{LANGUAGE}"}])
    engine.load()
    return engine
