"""Unity Catalog: where the lake's stores become locations and volumes, and domains' layers schemas with grants.

Tables are written by URL, with credentials that Unity Catalog gives Spark. Files are read and written by plain Python,
which gets no such credentials: the stores of files (landing, audit) are volumes, hence folders on every cluster.
"""

from __future__ import annotations

import pulumi
import pulumi_databricks as databricks

from components import names
from components.databricks import grants
from components.databricks.access import Access
from components.databricks.args import DatabricksArgs
from components.databricks.use import Use
from components.lake import Lake
from pipelines.contracts import Domain, Layer, schema_name

_ARTIFACTS = "artifacts"
_WHEELS = "wheels"
_FILES = "files"
_READ_VOLUME = ("READ_VOLUME",)
_WRITE_VOLUME = (*_READ_VOLUME, "WRITE_VOLUME")
"""What jobs may do in the stores of files."""
_LOCATION_PRIVILEGES = ("READ_FILES", "WRITE_FILES", "CREATE_EXTERNAL_TABLE")
_JOB_PRIVILEGES = ("USE_SCHEMA", "SELECT", "MODIFY", "CREATE_TABLE")


class UnityCatalog(pulumi.ComponentResource):
    """A catalogue of its own for the environment, bound to the one workspace.

    Attributes:
        catalog: Name of the catalogue.
        wheels: Path of the volume that holds the wheels of releases.
        roots: Where jobs find each layer: the URL of a store of tables, the path of the volume over a store of files.
    """

    def __init__(
        self,
        name: str,
        args: DatabricksArgs,
        lake: Lake,
        access: Access,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("levee:databricks:UnityCatalog", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        self._keep = pulumi.ResourceOptions(parent=self, protect=args.protect)
        locations = [self._location(f"{name}-{layer.value}", layer, lake, access) for layer in Layer]
        catalog = databricks.Catalog(
            name,
            name=names.identifier(args.company, args.environment),
            comment=f"Everything of {args.environment}; made by Pulumi",
            storage_root=pulumi.Output.format("{0}/_managed", lake.url(Layer.GOLD)),
            isolation_mode="ISOLATED",
            force_destroy=args.force_destroy,
            properties=dict(args.tags.canonical),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=locations),
        )
        self.catalog = catalog.name
        domains = tuple(item.domain for item in args.domains)
        self._grant(
            f"{name}-catalog",
            dict.fromkeys(grants.readers(domains), ("USE_CATALOG", "BROWSE")),
            {args.admins: ("ALL_PRIVILEGES",)},
            {args.run_as: ("USE_CATALOG",)} if args.run_as else {},
            catalog=self.catalog,
        )
        for domain in domains:
            for layer in grants.SCHEMAS:
                self._schema(name, domain, layer)
        self.wheels = self._volume(name)
        self.roots = {layer: lake.url(layer) for layer in Layer if layer.holds_tables} | self._stores(name, lake)
        self.register_outputs({"catalog": self.catalog, "wheels": self.wheels})

    def _location(self, name: str, layer: Layer, lake: Lake, access: Access) -> databricks.ExternalLocation:
        args, read_only = self._args, self._args.use_of(layer) is Use.READ
        location = databricks.ExternalLocation(
            name,
            name=names.identifier(args.company, args.environment, layer),
            url=lake.url(layer),
            credential_name=access.credential,
            comment=f"{layer.value} of the lake of {args.environment}",
            read_only=read_only,
            isolation_mode="ISOLATION_MODE_ISOLATED",
            # New IAM rights take seconds to be known everywhere, and nobody may delete from audit, which it would try.
            skip_validation=True,
            force_destroy=args.force_destroy,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=[access, lake]),
        )
        if args.run_as and layer.holds_tables:
            self._grant(name, {args.run_as: _LOCATION_PRIVILEGES}, external_location=location.name)
        return location

    def _schema(self, name: str, domain: Domain, layer: Layer) -> None:
        args = self._args
        title = f"{name}-{names.plain(domain.name, layer)}"
        made = databricks.Schema(
            title,
            name=schema_name(domain.name, layer),
            catalog_name=self.catalog,
            comment=f"{layer.value} of the domain {domain.name}",
            force_destroy=args.force_destroy,
            properties=dict(args.tags.classified(domain.classification).canonical),
            opts=self._keep,
        )
        self._grant(
            title,
            grants.of_schema(domain, layer),
            {args.admins: ("ALL_PRIVILEGES",)},
            {args.run_as: _JOB_PRIVILEGES} if args.run_as else {},
            schema=made.id,
        )

    def _stores(self, name: str, lake: Lake) -> dict[Layer, pulumi.Output[str]]:
        """The volumes over the stores of files, and the path of each."""
        args, title = self._args, f"{name}-{_FILES}"
        folder = databricks.Schema(
            title,
            name=_FILES,
            catalog_name=self.catalog,
            comment="Stores of files: what is delivered, and evidence",
            force_destroy=args.force_destroy,
            opts=self._keep,
        )
        if args.run_as:
            self._grant(title, {args.run_as: ("USE_SCHEMA",)}, schema=folder.id)
        paths = {}
        for layer in (Layer.LANDING, Layer.AUDIT):
            allowed = _READ_VOLUME if args.use_of(layer) is Use.READ else _WRITE_VOLUME
            volume = databricks.Volume(
                f"{title}-{layer.value}",
                name=layer.value,
                catalog_name=self.catalog,
                schema_name=folder.name,
                volume_type="EXTERNAL",
                storage_location=lake.url(layer),
                comment=f"{layer.value} of the lake of {args.environment}",
                opts=self._keep,
            )
            if args.run_as:
                self._grant(f"{title}-{layer.value}", {args.run_as: allowed}, volume=volume.id)
            paths[layer] = pulumi.Output.format("/Volumes/{0}/{1}/{2}", self.catalog, folder.name, volume.name)
        return paths

    def _volume(self, name: str) -> pulumi.Output[str]:
        args, title = self._args, f"{name}-{_WHEELS}"
        folder = databricks.Schema(
            title,
            name=_ARTIFACTS,
            catalog_name=self.catalog,
            comment="What releases deliver",
            force_destroy=args.force_destroy,
            opts=self._keep,
        )
        volume = databricks.Volume(
            title,
            name=_WHEELS,
            catalog_name=self.catalog,
            schema_name=folder.name,
            volume_type="MANAGED",
            comment="Wheels, by version; jobs install them from here",
            opts=self._keep,
        )
        if args.run_as:
            self._grant(f"{title}-schema", {args.run_as: ("USE_SCHEMA",)}, schema=folder.id)
            self._grant(title, {args.run_as: ("READ_VOLUME",)}, volume=volume.id)
        return pulumi.Output.format("/Volumes/{0}/{1}/{2}", self.catalog, folder.name, volume.name)

    def _grant(
        self,
        name: str,
        *privileges: dict[str, tuple[str, ...]],
        catalog: pulumi.Output[str] | None = None,
        external_location: pulumi.Output[str] | None = None,
        schema: pulumi.Output[str] | None = None,
        volume: pulumi.Output[str] | None = None,
    ) -> None:
        """All grants on one securable: `Grants` takes away every grant that it does not name."""
        every = {group: allowed for some in privileges for group, allowed in some.items()}
        databricks.Grants(
            name,
            catalog=catalog,
            external_location=external_location,
            schema=schema,
            volume=volume,
            grants=[
                databricks.GrantsGrantArgs(principal=group, privileges=list(allowed))
                for group, allowed in sorted(every.items())
            ],
            opts=self._child,
        )
