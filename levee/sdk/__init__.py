"""Provider SDKs read as text: which types exist, and what their inputs, outputs and lookups are."""

from levee.sdk.catalogue import Package, Place, Sdk, package_of
from levee.sdk.model import FunctionType, Property, ResourceType, TypeRef

__all__ = ["FunctionType", "Package", "Place", "Property", "ResourceType", "Sdk", "TypeRef", "package_of"]
