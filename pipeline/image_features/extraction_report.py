"""What an extraction did, in numbers."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipeline.image_features.extract import Extraction


def extraction_report(extraction: Extraction, made_by: Mapping[str, str]) -> dict[str, Any]:
    """Count what became of every picture of every item, and tell how fast it went.

    Args:
        extraction: What `extract` returned.
        made_by: Metadata of the features, of which the report repeats what the speed goes by.

    Returns:
        `pictures` = `usable` + `failed`, with `failed_by_reason`; of the different ones how many
        this run `extracted` and how many it found made (`from_cache`); usable ones beyond the
        first of the same content (`duplicates`); `seconds` spent on extracting and
        `pictures_per_second`, null where nothing was extracted; `backbone`, `runtime`, `precision`,
        `jpeg` and `views`.
    """
    kinds = Counter(reason_kind(failure.reason) for failure in extraction.failures)
    made = extraction.extracted
    return {
        "pictures": len(extraction.usable) + len(extraction.failures),
        "usable": len(extraction.usable),
        "failed": len(extraction.failures),
        "failed_by_reason": dict(kinds.most_common()),
        "duplicates": extraction.duplicates,
        "extracted": made,
        "from_cache": extraction.from_cache,
        "seconds": round(extraction.seconds, 3),
        "pictures_per_second": round(made / extraction.seconds, 1) if made else None,
        "backbone": made_by["backbone"],
        "runtime": made_by["runtime"],
        "precision": made_by["precision"],
        "jpeg": made_by["jpeg"],
        "views": int(made_by["views"]),
    }


def reason_kind(reason: str) -> str:
    """Take the details off a reason, which stand in parentheses or behind a semicolon.

    `too many pixels` of `too many pixels (90000, image.max_pixels is 1000)`: equal reasons can be
    counted.
    """
    return re.split(r" \(|; ", reason, maxsplit=1)[0]
