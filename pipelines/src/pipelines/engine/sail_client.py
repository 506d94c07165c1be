"""What is changed of each request on its way to Sail's server: texts of expressions become trees.

See :mod:`pipelines.engine.expressions` for why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import grpc
from pyspark.sql.connect.client.core import DefaultChannelBuilder
from pyspark.sql.connect.proto import base_pb2, relations_pb2
from pyspark.sql.connect.proto import expressions_pb2 as proto

from pipelines.engine.expressions import tree

_PLANS = {"schema", "explain", "tree_string", "is_local", "is_streaming", "input_files", "semantic_hash"}


AROUND = 6
"""Messages around a plan's first relation: request, plan, command, write."""
LEVELS = 96
"""Messages within messages that a request may have; readers of protobuf take a hundred."""


class TreesInsteadOfTexts(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Rewrites the plans of requests in place."""

    def intercept_unary_unary(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        """Send a request that has one answer."""
        _rewrite_request(request)
        return continuation(client_call_details, request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        """Send a request that has many answers."""
        _rewrite_request(request)
        return continuation(client_call_details, request)


def channel_to(url: str) -> DefaultChannelBuilder:
    """Return what opens the channel to Sail's server at `url`."""
    builder = DefaultChannelBuilder(url)
    builder.add_interceptor(TreesInsteadOfTexts())
    return builder


def _rewrite_request(request: Any) -> None:
    if isinstance(request, base_pb2.ExecutePlanRequest):
        rewrite_plan(request.plan)
    elif isinstance(request, base_pb2.AnalyzePlanRequest):
        asked = request.WhichOneof("analyze")
        if asked in _PLANS:
            rewrite_plan(getattr(request, asked).plan)


def rewrite_plan(plan: base_pb2.Plan) -> None:
    """Put trees in place of texts, all through a plan."""
    if plan.WhichOneof("op_type") == "root":
        _rewrite(plan.root)
        return
    command = plan.command
    match command.WhichOneof("command_type"):
        case "write_operation":
            _rewrite(command.write_operation.input)
        case "create_dataframe_view":
            _rewrite(command.create_dataframe_view.input)


def _rewrite(root: relations_pb2.Relation) -> None:
    """Visit a relation and all below it."""
    waiting = [(root, AROUND)]
    while waiting:
        relation, level = waiting.pop()
        kind = relation.WhichOneof("rel_type")
        if kind is None:
            continue
        node = getattr(relation, kind)
        room = LEVELS - level - 2
        match kind:
            case "project":
                _replace(node.expressions, room)
            case "filter":
                _replace([node.condition], room, named=False)
            case "aggregate":
                _replace(node.grouping_expressions, room)
                _replace(node.aggregate_expressions, room)
            case "with_columns":
                _replace((alias.expr for alias in node.aliases), room - 1, named=False)
            case "join" if node.HasField("join_condition"):
                _replace([node.join_condition], room, named=False)
        waiting += [(below, level + 2) for below in _inputs(kind, node)]


def _inputs(kind: str, node: Any) -> list[relations_pb2.Relation]:
    if kind == "join":
        return [node.left, node.right]
    if kind == "set_op":
        return [node.left_input, node.right_input]
    return [node.input] if "input" in node.DESCRIPTOR.fields_by_name else []


def _replace(expressions: Iterable[proto.Expression], room: int, *, named: bool = True) -> None:
    """Put trees in place of texts that have no more levels than there is room for."""
    for expression in expressions:
        match expression.WhichOneof("expr_type"):
            case "expression_string":
                found = tree(expression.expression_string.expression, named=named)
                if found is not None and found.levels <= room:
                    expression.CopyFrom(found.expression)
            case "alias":
                _replace([expression.alias.expr], room - 2, named=False)


__all__ = ["TreesInsteadOfTexts", "channel_to", "rewrite_plan"]
