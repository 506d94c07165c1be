"""What is read of both sides of a review before anything runs: their environments, their contracts, and the base's word
on how strictly rules hold, which findings are accepted and which stacks there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from levee import compliance
from levee.compliance import RULES, Rule
from levee.engine import Project
from levee.engine.project import read_yaml
from levee.engine.stacks import stack_names
from levee.environment import Environment, describes
from levee.errors import UsageError
from levee.review import contracts
from levee.review.accepted import FILE as ACCEPTED
from levee.review.accepted import Acceptance
from levee.review.accepted import read as read_accepted
from levee.review.model import Revision
from levee.review.place import Place
from levee.review.trees import Repository
from pipelines.contracts import Contract


@dataclass(frozen=True)
class Side:
    """One side, unrun.

    Attributes:
        stacks: The stacks that have a configuration.
        settings: The value of ``levee:environment`` by its file, relative to the repository.
        contracts: The data contracts by their file, likewise.
    """

    stacks: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)


@dataclass(frozen=True)
class Sides:
    """Both sides, unrun.

    Attributes:
        base: The base.
        head: The head.
        policies: The packs' configuration of the base's environments.
        rules: The rules that those ask for.
        accepted: The findings that the base accepts, by fingerprint.
        remarks: What a reader must know of it.
    """

    base: Side
    head: Side
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    accepted: Mapping[str, Acceptance] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @classmethod
    def read(cls, repository: Repository, checkout: Project, base: Revision, head: Revision, folder: Path) -> Self:
        """Read them, one after the other, in a folder that is removed again.

        Raises:
            UsageError: The head has no project, or what the base judges by is malformed.
        """
        place = Place(repository, checkout, folder)
        remarks: list[str] = []
        before, policies, rules, accepts = Side(), {}, {}, {}
        try:
            project = place.write(base.tree)
        except UsageError:
            remarks.append(f"{base.name} has no project here: everything is new")
        else:
            before = _side(place, project, contracts.read(place.folder))
            ours = describes(project.config_dir)
            for name in before.stacks:
                environment = Environment.load(project.root, name) if ours else None
                rules[name] = compliance.rules_for(environment)
                policies[name] = pinned(compliance.pack_config(environment), rules[name])
            accepts = read_accepted(project.root / ACCEPTED)
        project = place.write(head.tree)
        try:
            proposed = contracts.read(place.folder)
        except UsageError as wrong:
            remarks.append(f"the head's data contracts are wrong: {wrong}".replace(f"{place.folder}/", ""))
            proposed = before.contracts
        after = _side(place, project, proposed)
        place.clear()
        return cls(before, after, policies, rules, accepts, tuple(remarks))

    def rules_of(self, name: str) -> Sequence[Rule]:
        """The rules that judge an environment: those that the base's asks for."""
        return self.rules.get(name, RULES)

    def policies_of(self, name: str) -> Mapping[str, Any]:
        """The packs' configuration of an environment.

        One that the base does not have is held to the rules' own levels: what it says of them itself counts only
        after the merge.
        """
        if name in self.policies:
            return self.policies[name]
        if self.base.settings or self.head.settings:
            return pinned({rule.id: {"enforcementLevel": rule.level.value} for rule in RULES}, RULES)
        return pinned(compliance.pack_config(None), RULES)


def pinned(config: Mapping[str, Any], rules: Sequence[Rule]) -> dict[str, Any]:
    """A packs' configuration with every parameter of every rule in it.

    The engine merges it with what the stack's own configuration says of policies, which in a review is the head's.
    """
    everywhere = {"enforcementLevel": config["all"]} if "all" in config else {}
    return {
        **({"all": config["all"]} if everywhere else {}),
        **{rule.id: {**rule.defaults, **everywhere, **config.get(rule.id, {})} for rule in rules},
    }


def _side(place: Place, project: Project, found: Mapping[str, Contract]) -> Side:
    names = stack_names(project)
    settings: dict[str, Mapping[str, Any]] = {}
    for name in names:
        file = project.stack_config(name)
        config = read_yaml(file).get("config") if file.is_file() else None
        value = config.get("levee:environment") if isinstance(config, dict) else None
        if isinstance(value, dict):
            settings[file.relative_to(place.folder).as_posix()] = value
    return Side(names, settings, found)
