"""Versions of the packages that turn a picture's bytes into its vector."""

from importlib.metadata import PackageNotFoundError, version

_DECODERS = ("pillow", "simplejpeg", "pillow-heif")


def decisive_versions(runtime: str) -> str:
    """Name what decodes and runs here, as `pillow 12.0, simplejpeg 1.9, torch 2.9`.

    Major and minor number of each package that is installed: a patch release changes no number.
    """
    found = []
    for package in (*_DECODERS, runtime):
        try:
            number = version(package)
        except PackageNotFoundError:
            # Without pillow-heif there is no vector of a HEIC picture.
            continue
        found.append(f"{package} {'.'.join(number.split('.')[:2])}")
    return ", ".join(found)
