"""Features and classes -> what is wrong with the catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import (
    ClassesPath,
    GroupsPath,
    ImageFeaturesPath,
    ItemsPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    require_folder,
    run,
)
from stages.paths import (
    AUDIT,
    CLASSES,
    GROUPS,
    IMAGE_FEATURES,
    ITEMS,
    PARAMS,
    PLACEHOLDERS,
    REJECTED,
    SPLITS,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    groups: GroupsPath = GROUPS,
    classes: ClassesPath = CLASSES,
    rejected: Annotated[Path, typer.Option(help="Rows that are no items.")] = REJECTED,
    placeholders: Annotated[
        Path, typer.Option(help="Pictures and texts that say nothing.")
    ] = PLACEHOLDERS,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    out: Annotated[Path, typer.Option(help="Folder to write the findings to.")] = AUDIT,
) -> None:
    """Look for items filed wrongly, shared pictures and titles, and odd classes."""
    from pipeline.audit.catalogue import read_catalogue
    from pipeline.audit.decisions import read_decisions
    from pipeline.audit.findings import audit
    from pipeline.audit.near_pairs import find_near
    from pipeline.audit.report import write_findings
    from pipeline.audit.settings import AuditSettings
    from pipeline.core.params import load_section, read_value
    from pipeline.core.table import read_metadata
    from pipeline.features.joined import index_features

    p = load_section(params, "audit", AuditSettings)
    decisions = read_decisions(Path(p.decisions))
    images = require_folder("catalog.images", read_value(params, "catalog.images"))
    index = index_features(
        items=items,
        splits=splits,
        groups=groups,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    catalogue = read_catalogue(items, groups, classes, rejected, placeholders)
    background = read_metadata(image_features).get("background", "#ffffff")
    near = find_near(index, catalogue.items, catalogue.shared, images, background, p.pairs)
    summary = write_findings(
        out,
        audit(index, catalogue, near, p, decisions),
        catalogue,
        images=images,
        background=background,
        shown=p.shown,
    )
    apart = sum(summary["filed_differently"].values())
    typer.echo(
        f"audit: {counted(summary['suspects'], 'item')} listed to look at, of which "
        f"{summary['probably_misfiled']} are probably filed wrongly, "
        f"{counted(summary['titles_of_another_class'], 'title')} of another class, "
        f"{counted(apart, 'pair')} filed differently, "
        f"{counted(summary['titles_in_another_language'], 'title')} in another language, "
        f"{counted(sum(summary['class_findings'].values()), 'finding')} about classes "
        f"({summary['known_right']} known to be right and {summary['waiting_for_refile']} waiting "
        "for huse refile are left out); "
        f"report in {out / 'report.html'}"
    )


if __name__ == "__main__":
    run(main)
