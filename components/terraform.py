"""What existing Terraform owns, for the program to build upon: networks, accounts, zones.

A company that comes to Pulumi has its network in Terraform and leaves it there. ``TerraformOutputs`` reads that state's
outputs, takes the ones that are asked for and no others, and refuses a state that is not there, lacks one, or holds
something else: a preview never goes on with an empty answer. Every value is a secret of the stack, since Pulumi's
Terraform provider does not tell which outputs are sensitive; ``Wanted(public=True)`` says of one that everybody may see
it.
"""

from __future__ import annotations

import difflib
import json
import re
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pulumi

STATE_VERSION: Final = 4
"""The version of Terraform's state format since Terraform 0.12."""

_TIMEOUT: Final = 30.0
"""Seconds that an HTTP backend may take to answer."""


class TerraformStateError(ValueError):
    """Raised when a state cannot be read, or is not what the program was promised."""


class Kind(StrEnum):
    """What an output holds, in Terraform's words."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    STRINGS = "list(string)"
    MAP = "map(string)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One output that the program builds upon.

    Attributes:
        kind: What it holds; a set or a tuple of strings counts as a list of them.
        pattern: Regular expression that it, or each string in it, matches whole; empty for any.
        at_least: How many items a list or a map has at the least.
        public: Whether everybody may see it; else it is a secret of the stack.
    """

    kind: Kind = Kind.STRING
    pattern: str = ""
    at_least: int = 1
    public: bool = False


@dataclass(frozen=True, slots=True)
class Local:
    """State in a file.

    Attributes:
        path: The file, from where the program runs.
    """

    path: str

    def __str__(self) -> str:
        return self.path

    def read(self, opts: pulumi.InvokeOptions) -> pulumi.Output[Mapping[str, Any]]:
        """The outputs."""
        from pulumi_terraform import state

        found = state.get_local_reference_output(path=str(Path(self.path).resolve()), opts=opts)
        return found.apply(lambda result: result.outputs)


@dataclass(frozen=True, slots=True)
class S3:
    """State in an S3 bucket.

    Attributes:
        bucket: The bucket.
        key: Path of the state in it.
        region: The bucket's region.
        role_arn: Role to assume for reading; ``None`` for the program's own credentials.
        workspace: The Terraform workspace; ``None`` for the default one.
    """

    bucket: str
    key: str
    region: str
    role_arn: str | None = None
    workspace: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def read(self, opts: pulumi.InvokeOptions) -> pulumi.Output[Mapping[str, Any]]:
        """The outputs."""
        from pulumi_terraform import state

        found = state.get_s3_reference_output(
            bucket=self.bucket,
            key=self.key,
            region=self.region,
            role_arn=self.role_arn,
            workspace=self.workspace,
            opts=opts,
        )
        return found.apply(lambda result: result.outputs)


@dataclass(frozen=True, slots=True)
class AzureBlob:
    """State in an Azure storage account.

    Attributes:
        storage_account: The account.
        container: The container.
        key: Name of the blob.
        resource_group: The account's resource group; ``None`` where a SAS token or an access key reads it.
    """

    storage_account: str
    container: str
    key: str
    resource_group: str | None = None

    def __str__(self) -> str:
        return f"https://{self.storage_account}.blob.core.windows.net/{self.container}/{self.key}"

    def read(self, opts: pulumi.InvokeOptions) -> pulumi.Output[Mapping[str, Any]]:
        """The outputs."""
        from pulumi_terraform import state

        found = state.get_azure_rm_reference_output(
            storage_account_name=self.storage_account,
            container_name=self.container,
            key=self.key,
            resource_group_name=self.resource_group,
            opts=opts,
        )
        return found.apply(lambda result: result.outputs)


@dataclass(frozen=True, slots=True)
class Gcs:
    """State in a Google Cloud Storage bucket.

    Attributes:
        bucket: The bucket.
        prefix: The backend's prefix.
        workspace: The Terraform workspace.
    """

    bucket: str
    prefix: str
    workspace: str = "default"

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self._name}"

    @property
    def _name(self) -> str:
        return f"{self.prefix.strip('/')}/{self.workspace}.tfstate".lstrip("/")

    def read(self, opts: pulumi.InvokeOptions) -> pulumi.Output[Mapping[str, Any]]:
        """The outputs; Pulumi's Terraform provider does not know this backend, its Google provider reads the object."""
        from pulumi_gcp import storage

        found = storage.get_bucket_object_content_output(bucket=self.bucket, name=self._name, opts=opts)
        return found.apply(lambda result: outputs_of(result.content, str(self)))


@dataclass(frozen=True, slots=True)
class Http:
    """State behind Terraform's HTTP backend, such as GitLab's.

    Attributes:
        address: The backend's address.
        username: User of basic authentication; ``None`` for none.
        password: The password or token; best a secret of the stack's configuration.
    """

    address: str
    username: str | None = None
    password: pulumi.Input[str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.address

    def read(self, opts: pulumi.InvokeOptions) -> pulumi.Output[Mapping[str, Any]]:
        """The outputs."""
        del opts  # no provider is asked
        password = pulumi.Output.from_input(self.password)
        return password.apply(lambda given: outputs_of(self._get(given), self.address))

    def _get(self, password: str | None) -> str:
        if not self.address.startswith(("https://", "http://")):
            raise TerraformStateError(f"{self.address} is no http address")
        request = urllib.request.Request(self.address)  # noqa: S310 - the scheme was looked at
        if self.username is not None:
            word = b64encode(f"{self.username}:{password or ''}".encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                return answer.read().decode()
        except (OSError, UnicodeDecodeError) as wrong:
            raise TerraformStateError(f"the Terraform state at {self.address} cannot be read: {wrong}") from None


State = Local | S3 | AzureBlob | Gcs | Http


@dataclass(frozen=True, slots=True)
class TerraformOutputsArgs:
    """What to read, and what must be there.

    Attributes:
        state: The backend: ``Local``, ``S3``, ``AzureBlob``, ``Gcs`` or ``Http``.
        wanted: Name of each output that the program uses, to what it holds.
    """

    state: State
    wanted: Mapping[str, Wanted]


class TerraformOutputs(pulumi.ComponentResource):
    """Outputs of an existing Terraform state, checked.

    Attributes:
        values: Name of each wanted output to its value.
    """

    def __init__(self, name: str, args: TerraformOutputsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("levee:terraform:TerraformOutputs", name, None, opts)
        where = str(args.state)
        found = args.state.read(pulumi.InvokeOptions(parent=self))
        checked = found.apply(lambda outputs: check(outputs, args.wanted, where))
        self.values: Mapping[str, pulumi.Output[Any]] = {
            key: _one(checked, key, public=want.public) for key, want in args.wanted.items()
        }
        self.register_outputs(dict(self.values))


def _one(checked: pulumi.Output[Mapping[str, Any]], key: str, *, public: bool) -> pulumi.Output[Any]:
    value = checked.apply(lambda values: values[key])
    return pulumi.Output.unsecret(value) if public else pulumi.Output.secret(value)


def outputs_of(text: str, where: str) -> dict[str, Any]:
    """The outputs in the text of a state.

    Raises:
        TerraformStateError: It is no state of version 4.
    """
    try:
        state = json.loads(text)
    except ValueError as wrong:
        raise TerraformStateError(f"the Terraform state at {where} is not JSON: {wrong}") from None
    version = state.get("version") if isinstance(state, dict) else None
    if version != STATE_VERSION:
        raise TerraformStateError(f"{where} is no Terraform state of version {STATE_VERSION}: version {version!r}")
    return {name: output["value"] for name, output in state.get("outputs", {}).items()}


def check(outputs: Mapping[str, Any], wanted: Mapping[str, Wanted], where: str) -> dict[str, Any]:
    """The wanted outputs.

    Raises:
        TerraformStateError: One is missing or is not what was promised; with all that is wrong.
    """
    wrong = [said for name, want in wanted.items() for said in _wrong(name, want, outputs)]
    if wrong:
        raise TerraformStateError(f"the Terraform state at {where}: {'; '.join(wrong)}")
    return {name: outputs[name] for name in wanted}


def _wrong(name: str, want: Wanted, outputs: Mapping[str, Any]) -> Iterator[str]:
    if name not in outputs:
        near = difflib.get_close_matches(name, outputs, n=1)
        hint = f"did you mean {near[0]!r}" if near else f"it has {', '.join(sorted(outputs)) or 'none'}"
        yield f"it has no output {name!r} ({hint})"
        return
    value = outputs[name]
    if not _is(value, want.kind):
        yield f"output {name!r} is {_kind_of(value)}, expected {want.kind.value}"
        return
    texts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    if len(texts) < want.at_least:
        yield f"output {name!r} has {len(texts)} items, expected {want.at_least} or more"
    bad = [text for text in texts if want.pattern and not re.fullmatch(want.pattern, str(text))]
    if bad:
        yield f"output {name!r} does not match {want.pattern}"


def _is(value: Any, kind: Kind) -> bool:
    match kind:
        case Kind.STRING:
            return isinstance(value, str) and value != ""
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.STRINGS:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case Kind.MAP:
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _kind_of(value: Any) -> str:
    """What a value is, without the value: it may be a secret."""
    if value == "":
        return "an empty string"
    kinds = {str: "a string", bool: "a bool", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")
