"""Pulumi's bridged types in Terraform's words and back: AWS, Google Cloud and Databricks."""

from levee.terraform.types import Attribute, ResourceType, of_terraform, of_token

__all__ = ["Attribute", "ResourceType", "of_terraform", "of_token"]
