"""The ports that nobody reaches from the whole internet, and the firewall rules that open them all the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from levee.compliance.rule import Finding, Undecidable
from levee.compliance.rules.checks import is_world
from levee.compliance.rules.scope import Value

Ports = Mapping[int, str]
"""Port to what listens there."""

ADMIN_PORTS: Final[Ports] = {22: "SSH", 3389: "RDP", 5985: "WinRM", 5986: "WinRM"}
DATA_PORTS: Final[Ports] = {
    1433: "SQL Server",
    1521: "Oracle",
    3306: "MySQL",
    5432: "PostgreSQL",
    5439: "Redshift",
    6379: "Redis",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "OpenSearch",
    11211: "Memcached",
    27017: "MongoDB",
}


def covers(ports: Any, port: int) -> bool:
    """Whether a range as Azure and Google write it, ``22``, ``20-30`` or ``*``, covers a port."""
    first, _, last = "0-65535".partition("-") if ports == "*" else str(ports).partition("-")
    return first.isdigit() and (last or first).isdigit() and int(first) <= port <= int(last or first)


def in_words(opened: Iterable[int], ports: Ports) -> str:
    """Ports with what listens there: ``22 (SSH), 3389 (RDP)``."""
    return ", ".join(f"{port} ({ports[port]})" for port in opened)


def open_to_world(
    sources: Collection[Value], doors: Collection[Value], opened: Collection[int], ports: Ports, *, at: str
) -> Iterator[Finding]:
    """What is wrong with a rule that lets ``sources`` in through ``doors``.

    Args:
        sources: Address ranges, unknown ones too.
        doors: What says which ports, unknown ones too.
        opened: Those of ``ports`` that the known doors open.
        ports: The ports in question.
        at: Path of the rule.
    """
    unknown = [value for value in (*sources, *doors) if value.undecidable]
    world = any(is_world(source.value) for source in sources)
    if world and opened:
        complaint = f"it opens {in_words(opened, ports)} to the whole internet: name the ranges that need it"
        yield Finding(complaint, property=at)
    elif (world or any(s.undecidable for s in sources)) and (opened or any(d.undecidable for d in doors)):
        yield Undecidable(unknown[0].path).finding()
