"""What a change would do, in one comment: resources, policies, data contracts; judged by the base's rules."""

from levee.review.model import Review
from levee.review.request import Request
from levee.review.run import review

__all__ = ["Request", "Review", "review"]
