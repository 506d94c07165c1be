"""The only machines that jobs run on, and the secrets that they get by reference."""

from __future__ import annotations

import json
from typing import Final

import pulumi
import pulumi_databricks as databricks
import pulumi_random as random

from components import names
from components.databricks import policy
from components.databricks.access import Access
from components.databricks.args import DatabricksArgs

PSEUDONYM_KEY: Final = "pseudonym-key"
"""Name of the key in the secret scope."""

PSEUDONYM_VARIABLE: Final = "LEVEE_PSEUDONYM_KEY"
NODE_TYPE_VARIABLE: Final = "LEVEE_NODE_TYPE"
"""What the wheel reads on a cluster (``pipelines.settings``)."""


class Compute(pulumi.ComponentResource):
    """A pool for the workers, one for the drivers, one policy, and the secret scope.

    Attributes:
        pool: Id of the workers' pool.
        driver_pool: Id of the drivers' pool: the workers' own, unless those may be spot instances.
        policy: Id of the cluster policy.
        variables: Environment of every cluster.
    """

    def __init__(self, name: str, args: DatabricksArgs, access: Access, opts: pulumi.ResourceOptions) -> None:
        super().__init__("levee:databricks:Compute", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        scope = self._secrets(f"{name}-secrets")
        self.variables = {
            PSEUDONYM_VARIABLE: f"{{{{secrets/{scope}/{PSEUDONYM_KEY}}}}}",
            NODE_TYPE_VARIABLE: args.size.node_type,
        }
        self.pool = self._pool(f"{name}-pool", "jobs", access, spot=args.size.spot)
        self.driver_pool = (
            self._pool(f"{name}-driver-pool", "drivers", access, spot=False) if args.size.spot else self.pool
        )
        self.policy = self._policy(f"{name}-policy", access)
        self.register_outputs({"pool": self.pool, "policy": self.policy, "scope": scope})

    def _pool(self, name: str, purpose: str, access: Access, *, spot: bool) -> pulumi.Output[str]:
        args, size = self._args, self._args.size
        machines = access.machines(spot=spot)
        pool = databricks.InstancePool(
            name,
            instance_pool_name=names.plain(args.company, args.environment, purpose),
            node_type_id=size.node_type,
            min_idle_instances=size.idle_instances,
            max_capacity=(size.max_workers + 1) * max(len(args.domains), 1),
            idle_instance_autotermination_minutes=size.idle_minutes,
            enable_elastic_disk=True,
            preloaded_spark_versions=[size.spark_version],
            aws_attributes=machines.aws,
            azure_attributes=machines.azure,
            gcp_attributes=machines.gcp,
            custom_tags=args.tags.databricks(),
            opts=self._child,
        )
        databricks.Permissions(
            name, instance_pool_id=pool.id, access_controls=self._allowed("CAN_ATTACH_TO"), opts=self._child
        )
        return pool.id

    def _policy(self, name: str, access: Access) -> pulumi.Output[str]:
        args = self._args
        document = policy.definition(
            spark_version=args.size.spark_version,
            max_workers=args.size.max_workers,
            tags=args.tags.databricks(),
            environment=self.variables,
            identities=access.identities,
        )
        rules = databricks.ClusterPolicy(
            name,
            name=names.plain(args.company, args.environment, "jobs"),
            description="Job clusters: one runtime, one user, machines from the pools, tagged, no code of their own",
            definition=json.dumps(document, sort_keys=True),
            max_clusters_per_user=10,
            opts=self._child,
        )
        databricks.Permissions(
            name, cluster_policy_id=rules.id, access_controls=self._allowed("CAN_USE"), opts=self._child
        )
        return rules.id

    def _allowed(self, level: str) -> list[databricks.PermissionsAccessControlArgs]:
        """The admins, and who the jobs run as."""
        args = self._args
        allowed = [databricks.PermissionsAccessControlArgs(group_name=args.admins, permission_level=level)]
        if args.run_as:
            allowed.append(
                databricks.PermissionsAccessControlArgs(service_principal_name=args.run_as, permission_level=level)
            )
        return allowed

    def _secrets(self, name: str) -> str:
        """Make the scope with the pseudonymisation key, and return its name.

        The random provider makes the key, and its output is secret: it stands in no program, plan or parameter, only
        encrypted in the state and in the scope.
        """
        args = self._args
        keep = pulumi.ResourceOptions(parent=self, protect=args.protect)
        scope_name = names.plain(args.company, args.environment, "pipelines")
        scope = databricks.SecretScope(name, name=scope_name, opts=keep)
        key = random.RandomBytes(f"{name}-{PSEUDONYM_KEY}", length=32, opts=keep)
        databricks.Secret(
            f"{name}-{PSEUDONYM_KEY}", scope=scope.name, key=PSEUDONYM_KEY, string_value=key.hex, opts=keep
        )
        databricks.SecretAcl(
            f"{name}-admins", scope=scope.name, principal=args.admins, permission="MANAGE", opts=self._child
        )
        if args.run_as:
            databricks.SecretAcl(
                f"{name}-run-as", scope=scope.name, principal=args.run_as, permission="READ", opts=self._child
            )
        return scope_name
