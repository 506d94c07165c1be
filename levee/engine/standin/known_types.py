"""The SDKs' types and functions by token, from any thread; what is not there is said with what is near."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from levee.engine.standin.check import near
from levee.engine.standin.clouds import kubernetes
from levee.sdk import FunctionType, ResourceType, Sdk, package_of


@dataclass(frozen=True)
class KnownTypes:
    """Finds types and functions.

    Attributes:
        sdk: Reads them, one thread at a time.
    """

    sdk: Sdk
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def resource(self, token: str) -> ResourceType | None:
        """The type of that token; a custom resource of Kubernetes has one too."""
        with self._lock:
            return self.sdk.resource(token) or kubernetes.custom_resource(self.sdk, token)

    def function(self, token: str) -> FunctionType | None:
        """The lookup of that token."""
        with self._lock:
            return self.sdk.function(token)

    def no_resource(self, token: str) -> str:
        """Why there is no such type."""
        package = self.sdk.packages.get(package_of(token))
        if package is None:
            installed = ", ".join(sorted(self.sdk.packages))
            return f"no SDK of the package of {token!r} is installed; installed are: {installed}"
        hint = near(token, package.tokens, "; near are ")
        return f"{package.name} {package.version} has no resource type {token!r}{hint}"

    def unknown_arguments(self, function: FunctionType, given: Iterable[str]) -> list[str]:
        """The arguments that the lookup does not have; none where its SDK does not tell which it has."""
        return [name for name in given if function.inputs and name not in function.inputs]

    def no_argument(self, function: FunctionType, name: str) -> str:
        """Why there is no such argument."""
        return f"{function.token} has no argument {name!r}{near(name, tuple(function.inputs), '; near are ')}"

    def no_function(self, token: str) -> str:
        """Why there is no such lookup."""
        package = self.sdk.packages.get(package_of(token))
        version = f"{package.name} {package.version}" if package else f"no installed SDK ({token.split(':', 1)[0]})"
        return f"{version} has no function {token!r}"
