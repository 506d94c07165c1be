"""Provider SDKs read as text: which types exist, and what their inputs, outputs and lookups are."""

from levee.sdk.catalogue import Sdk
from levee.sdk.model import FunctionType, Property, ResourceType, TypeRef
from levee.sdk.package import Package, Place, package_of

__all__ = ["FunctionType", "Package", "Place", "Property", "ResourceType", "Sdk", "TypeRef", "package_of"]
