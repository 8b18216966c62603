"""A trained model on the Hugging Face hub, or in a folder that is laid out like its repository.

`model/` and `README.md`, the model card; if asked for, `index/` and what changed it since then,
`index_changes/`; `model_added.safetensors` if classes were added; `attributes/` if attributes are
predicted.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.core.errors import InputError
from pipeline.core.published_model import is_path
from pipeline.index.changes import DESCRIPTION, changes_folder, read_changes
from pipeline.model.description import FILE, ModelDescription
from pipeline.use.added_file import added_path
from pipeline.use.attribute_values import AttributeValues, heads_folder
from pipeline.use.model_card import model_card

if TYPE_CHECKING:
    from pipeline.index.catalog_index import CatalogIndex
    from pipeline.use.known_classes import KnownClasses

MODEL, INDEX, CARD = "model", "index", "README.md"
CHANGES, ADDED = changes_folder(Path(INDEX)).name, added_path(Path(MODEL)).name
HEADS = heads_folder(Path(MODEL)).name
"""In a repository, where they lie to each other as in a project."""
ENDINGS = (
    *(".json", ".safetensors", ".onnx", ".weights", ".model", ".npz", ".bin"),
    *(".parquet", ".arrow", ".faiss", ".npy"),
)
"""Of the files of a model and of an index; others are neither published nor downloaded, pickles
among them. From `.model` to `.bin` they are of text models that a package carries."""
PATTERNS = [
    *(f"{folder}/*{ending}" for folder in (MODEL, INDEX, CHANGES, HEADS) for ending in ENDINGS),
    ADDED,
]


class HubModel:
    """What a model that can be published has in common with none of its uses."""

    description: ModelDescription
    folder: Path
    index_folder: Path
    index: CatalogIndex
    known: KnownClasses
    attribute_values: AttributeValues

    @classmethod
    @abstractmethod
    def load(
        cls,
        folder: str | Path,
        index: str | Path | None = None,
        *,
        warn: Callable[[str], None] = warnings.warn,
    ) -> Self:
        """Read a trained model."""

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        revision: str | None = None,
        warn: Callable[[str], None] = warnings.warn,
    ) -> Self:
        """Read a model from the Hugging Face hub, or from a folder that was downloaded from there.

        The hub's own cache keeps what was downloaded, and does without the hub where that cannot be
        asked. HF_TOKEN opens private repositories.

        Args:
            name: `owner/name` of a repository, or a folder: a repository's, or a model's.
            revision: Branch, tag or commit of the repository; its main branch if not given.
            warn: As of `load`.

        Raises:
            InputError: There is no such folder or repository, the hub cannot be asked, or what is
                there is no model, damaged, or of a newer format.
        """
        folder = Path(name).expanduser()
        if not folder.is_dir():
            if isinstance(name, Path) or is_path(name):
                raise InputError(f"{name}: there is no such folder")
            folder = download_model(name, revision)
        elif revision is not None:
            raise ValueError(f"revision {revision} of a folder: only the hub's models have any")
        if (folder / MODEL / FILE).is_file():
            return cls.load(folder / MODEL, folder / INDEX, warn=warn)
        if (folder / FILE).is_file():
            return cls.load(folder, warn=warn)
        raise InputError(f"{name}: holds no model of HUSE, neither {MODEL}/{FILE} nor {FILE}")

    def push_to_hub(
        self,
        name: str,
        *,
        license: str,
        private: bool = True,
        include_index: bool = False,
        data: str | Path | None = None,
    ) -> str:
        """Publish the model on the Hugging Face hub, in one commit, with a card that tells of it.

        Files of an earlier version of the model that are no longer part of it are removed.

        Args:
            name: `owner/name`; the repository is made if it is not there.
            license: Of the model, as the hub abbreviates it, such as `cc-by-4.0`.
            private: Whether a repository that is made is private; one that is there stays as it is.
            include_index: Whether the catalogue's index is published too, which a search needs. It
                has the items' texts, class paths, kept columns and features, also of items that
                were removed from it since it was made.
            data: The project's `data`, whose figures the card tells; where the model's folder lies
                if not given.

        Returns:
            Address of the commit.

        Raises:
            InputError: Nobody is logged in, the hub cannot be asked or refuses, or there is no
                usable index.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

        card = self.model_card(name, license=license, include_index=include_index, data=data)
        files = self.published_files(include_index=include_index)
        added = [CommitOperationAdd(place, str(path)) for place, path in files.items()]
        card_file = CommitOperationAdd(CARD, card.encode())
        with _one_line_errors(name):
            hub = HfApi(library_name="huse")
            hub.create_repo(name, private=private, exist_ok=True)
            old = [
                place
                for place in hub.list_repo_files(name)
                if place.startswith((f"{MODEL}/", f"{INDEX}/", f"{CHANGES}/", f"{HEADS}/", ADDED))
                and place not in files
            ]
            gone = [CommitOperationDelete(place) for place in old]
            done = hub.create_commit(
                name, [card_file, *added, *gone], commit_message="Publish a model"
            )
        return str(done.commit_url)

    def model_card(
        self,
        name: str,
        *,
        license: str,
        include_index: bool = False,
        data: str | Path | None = None,
    ) -> str:
        """Write the card that `push_to_hub` publishes, as Markdown.

        Raises:
            InputError: A file of the project that it tells of is damaged.
        """
        return model_card(
            name,
            self.description,
            self.known.classes,
            self.folder.resolve().parent if data is None else Path(data),
            license=license,
            include_index=include_index,
        )

    def published_files(self, *, include_index: bool = False) -> dict[str, Path]:
        """Name what `push_to_hub` publishes beside the card: place in the repository -> file here.

        Raises:
            InputError: There is no usable index.
        """
        folders = {MODEL: self.folder}
        changes = None
        if include_index:
            _ = self.index  # there, whole, and of this very model
            folders[INDEX] = self.index_folder
            changes = read_changes(self.index_folder)
            if changes is not None:
                # Not what a command that was killed has left.
                folders |= {f"{CHANGES}/{name}": changes.folder / name for name in changes.names}
        files = {
            f"{place}/{path.relative_to(folder).as_posix()}": path
            for place, folder in folders.items()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in ENDINGS
        }
        if changes is not None:
            files[f"{CHANGES}/{DESCRIPTION}"] = changes.folder / DESCRIPTION
        if self.known.added:
            files[ADDED] = added_path(self.folder)
        return files | self.attribute_values.files


def download_model(name: str, revision: str | None = None) -> Path:
    """Bring a repository's model into the hub's cache here, if it is not there already.

    Returns:
        Folder of its snapshot.

    Raises:
        InputError: There is no such repository or revision, or the hub cannot be asked and nothing
            of it is in the cache.
    """
    from huggingface_hub import snapshot_download

    with _one_line_errors(name, " once, or name a local folder"):
        found = snapshot_download(
            name, revision=revision, allow_patterns=PATTERNS, library_name="huse"
        )
    return Path(found)


@contextmanager
def _one_line_errors(name: str, instead: str = "") -> Iterator[None]:
    """Say in one line what the hub's client says in many, and what to do instead."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise InputError(f"{name}: neither a folder nor owner/name of a repository") from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{name}: the repository has no such revision") from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"{name}: neither a folder nor a repository of the Hugging Face hub that may be read; "
            "a private one needs HF_TOKEN or hf auth login"
        ) from error
    except errors.HfHubHTTPError as error:
        said = " ".join((error.server_message or str(error)).split())[:300]
        hint = "; set HF_TOKEN or run hf auth login" if "401" in str(error) else ""
        raise InputError(f"{name}: the Hugging Face hub refuses: {said}{hint}") from error
    # Without a network: the errors of whichever HTTP library the hub's client uses.
    except Exception as error:
        raise InputError(
            f"{name}: the Hugging Face hub cannot be asked ({type(error).__name__}); "
            f"go online{instead}"
        ) from error
