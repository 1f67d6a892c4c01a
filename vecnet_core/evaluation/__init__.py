"""How good a correction is: one protocol, its made and real test clips, scores, and the table that is published."""

from vecnet_core.evaluation.protocol import evaluate
from vecnet_core.evaluation.table import format_table

__all__ = ["evaluate", "format_table"]
